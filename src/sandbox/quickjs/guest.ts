import { FramePort } from "../frame-port.ts";
import type { Guest, GuestAnswer, GuestExit, GuestFrame, GuestProgram } from "../sandbox.ts";
import { creditBytes, messageTypes, toCredit, toJsonMessage, toMessage } from "./messages.ts";

/** What a guest says to the engine process, and how it leaves it. */
export interface EngineLink {
  send(message: Buffer): void;
  /** The guest is to end; whoever does not hear of its end in time ends the engine. */
  kill(guest: number): void;
  /** The engine has sent what it was not allowed to send. */
  distrust(why: string): void;
}

// Smaller pieces would cost a message each.
const creditStepBytes = 64 * 1024;
const noUse = { cpuMs: 0, peakMemoryBytes: 0 };

/** Host side of one guest in the engine process: its frames come and go among those of others. */
export class QuickjsGuest implements Guest {
  readonly exited: Promise<GuestExit>;
  readonly group: string;
  readonly #id: number;
  readonly #link: EngineLink;
  readonly #port: FramePort;
  readonly #exit = Promise.withResolvers<GuestExit>();
  #isPaused = false;
  /** Bytes that the guest may still send, as the host counts them. */
  #granted = creditBytes;
  /** Bytes that have been taken and for which no credit has been given. */
  #owed = 0;
  #hasEnded = false;
  #isKilled = false;

  constructor(id: number, group: string, link: EngineLink) {
    this.#id = id;
    this.group = group;
    this.#link = link;
    this.exited = this.#exit.promise;
    this.#port = new FramePort({
      link: {
        write: (bytes) => link.send(toMessage(messageTypes.frame, id, bytes)),
        pause: () => {
          this.#isPaused = true;
        },
        resume: () => {
          this.#isPaused = false;
          this.#give();
        },
        close: () => {},
      },
      onFault: () => this.kill(),
    });
  }

  get id(): number {
    return this.#id;
  }

  get frames(): AsyncIterable<GuestFrame> {
    return this.#port.frames;
  }

  start(program: GuestProgram): void {
    if (this.#hasEnded || this.#isKilled) return;
    const { seed, memoryBytes, wallMs, activeMs, outputBytes, resultBytes, toolPayloadBytes } =
      program;
    const halves = [Number(seed & 0xffffffffn), Number((seed >> 32n) & 0xffffffffn)];
    const limits = {
      seed: halves,
      memoryBytes,
      wallMs,
      activeMs,
      outputBytes,
      resultBytes,
      toolPayloadBytes,
    };
    this.#link.send(toJsonMessage(messageTypes.start, this.#id, limits));
    this.#port.start(program);
  }

  answer(answer: GuestAnswer): void {
    if (!this.#hasEnded) this.#port.answer(answer);
  }

  kill(): void {
    if (this.#hasEnded || this.#isKilled) return;
    this.#isKilled = true;
    this.#link.kill(this.#id);
  }

  /** Bytes of the guest's frames have come. */
  receive(bytes: Buffer): void {
    this.#granted -= bytes.length;
    if (this.#granted < 0) {
      this.#link.distrust("sent more for a guest than that had credit for");
      return;
    }
    this.#owed += bytes.length;
    this.#port.receive(bytes);
    if (!this.#isPaused && this.#owed >= creditStepBytes) this.#give();
  }

  /** The guest is gone, as the engine says. */
  end(exit: GuestExit): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { fault } = this.#port;
    this.#exit.resolve(fault === undefined ? exit : { ...exit, cause: "fault", detail: fault });
    this.#port.end();
  }

  /** The engine process is gone, and the guest with it. */
  lose(why: string): void {
    this.end({ cause: "lost", detail: why, ...noUse });
  }

  [Symbol.dispose](): void {
    this.kill();
    this.#port.close();
  }

  #give(): void {
    if (this.#owed === 0 || this.#hasEnded) return;
    this.#granted += this.#owed;
    this.#link.send(toCredit(this.#id, this.#owed));
    this.#owed = 0;
  }
}
