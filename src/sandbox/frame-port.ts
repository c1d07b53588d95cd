import { AsyncQueue } from "../shared/queue.ts";
import {
  answerFrame,
  type FrameCaps,
  FrameFault,
  FrameReader,
  programFrame,
  type RawFrame,
  readGuestFrame,
} from "./frames.ts";
import type { GuestAnswer, GuestFrame, GuestProgram } from "./sandbox.ts";

/** Bytes of frames that wait for the reader before the guest is made to wait. */
const highWaterBytes = 256 * 1024;
const maxEventBytes = 64 * 1024;
/** What a frame costs beside its payload. */
const frameBytes = 256;
// One turn of the loop makes so many events of one guest, and reads so many of its frames: 64 KiB may
// hold 11,000 that cannot be joined, over which everybody else would wait for a second.
const eventsPerTurn = 32;
const framesPerTurn = 4_096;

/** The way to one guest, as bytes. */
export interface GuestLink {
  /** Without effect when the guest is gone. */
  write(bytes: Buffer): void;
  /** The guest is to wait with what it says, until `resume`. */
  pause(): void;
  resume(): void;
  /** Nothing is said or heard any more. Idempotent. */
  close(): void;
}

/** Options of a `FramePort`. */
export interface FramePortOptions {
  readonly link: GuestLink;
  /** Takes the guest's first frame, where the guest greets before it is given a program. */
  readonly onGreeting?: (frame: RawFrame) => void;
  /** The guest broke the protocol: it is to be killed. */
  readonly onFault: (fault: FrameFault) => void;
}

/** The host's end of one guest's frames: bytes come in, checked frames go out, in order. */
export class FramePort {
  readonly #link: GuestLink;
  readonly #onFault: FramePortOptions["onFault"];
  readonly #frames: AsyncQueue<GuestFrame>;
  readonly #reader = new FrameReader(() => this.#caps);
  #onGreeting: FramePortOptions["onGreeting"];
  #caps: FrameCaps = { resultBytes: 0, toolPayloadBytes: 0 };
  #calls = 0;
  #isFull = false;
  #isPaused = false;
  /** There is more than the last turn took. */
  #isBusy = false;
  #hasEnded = false;
  #isClosed = false;
  #hasEnding = false;
  #hasResult = false;
  #fault: string | undefined;

  constructor({ link, onGreeting, onFault }: FramePortOptions) {
    this.#link = link;
    this.#onGreeting = onGreeting;
    this.#onFault = onFault;
    this.#frames = new AsyncQueue<GuestFrame>({
      sizeOf,
      merge,
      highWater: highWaterBytes,
      onFull: () => this.#setPaused({ isFull: true }),
      onDrain: () => this.#setPaused({ isFull: false }),
    });
  }

  /** Frames of the running program; a reader that stops reading makes the guest wait. */
  get frames(): AsyncIterable<GuestFrame> {
    return this.#frames;
  }

  /** How the guest broke the protocol; undefined while it has not. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Hands over a program, after what has to precede it, in one write. */
  start(program: GuestProgram, before: readonly Buffer[] = []): void {
    this.#caps = program;
    this.#link.write(Buffer.concat([...before, programFrame(program)]));
  }

  /** Hands over the answer to a call. */
  answer(answer: GuestAnswer): void {
    this.#link.write(answerFrame(answer));
  }

  /** Takes bytes of the guest's. What follows a result or a fault is ignored. */
  receive(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#reader.feed(chunk);
    if (!this.#isBusy) this.#work();
  }

  /** The guest says no more: readers get what is waiting, then the end. */
  end(): void {
    this.#hasEnded = true;
    if (!this.#isBusy) this.#frames.end();
  }

  /** Drops what has not been read and closes the link. */
  close(): void {
    this.#isClosed = true;
    void this.#frames.return();
    this.#link.close();
  }

  get #isOver(): boolean {
    return this.#fault !== undefined || this.#hasResult || this.#isClosed;
  }

  /** Makes events of what has come, as many as one turn may; the guest waits while there is more. */
  #work(): void {
    this.#isBusy = false;
    try {
      this.#isBusy = !this.#isOver && this.#readTurn();
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error;
      this.#fault = error.message;
      this.#frames.end();
      this.#onFault(error);
    }
    this.#setPaused({ isFull: this.#isFull });
    if (this.#isBusy) setImmediate(() => this.#work());
    else if (this.#hasEnded) this.#frames.end();
  }

  /** Reads frames; output of one channel becomes one event. Gives whether there may be more. */
  #readTurn(): boolean {
    let last: GuestFrame | undefined;
    let events = 0;
    for (let count = 0; count < framesPerTurn && events < eventsPerTurn - 1; count += 1) {
      const raw = this.#reader.next();
      if (raw === undefined) {
        if (last !== undefined) this.#push(last);
        return false;
      }
      if (this.#onGreeting !== undefined) {
        this.#greet(raw);
        continue;
      }
      const frame = this.#inOrder(readGuestFrame(raw, this.#caps));
      const both = last && merge(last, frame);
      if (both === undefined && last !== undefined) {
        this.#push(last);
        events += 1;
      }
      last = both ?? frame;
      if (last.type === "result") break;
    }
    if (last !== undefined) this.#push(last);
    return !this.#isOver;
  }

  /** The guest waits while its reader does, and while there is more of it than one turn takes. */
  #setPaused({ isFull }: { readonly isFull: boolean }): void {
    this.#isFull = isFull;
    const isPaused = isFull || this.#isBusy;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#link.pause();
    else this.#link.resume();
  }

  #greet(frame: RawFrame): void {
    this.#onGreeting?.(frame);
    this.#onGreeting = undefined;
  }

  /** The first result wins, and is the last thing that a guest says. */
  #push(frame: GuestFrame): void {
    if (this.#hasResult) return;
    this.#hasResult = frame.type === "result";
    this.#frames.push(frame);
  }

  #inOrder(frame: GuestFrame): GuestFrame {
    if (frame.type === "ending") {
      if (this.#hasEnding) throw new FrameFault("a second ending");
      this.#hasEnding = true;
    }
    if (frame.type !== "tool_call") return frame;
    this.#calls += 1;
    if (frame.call === this.#calls) return frame;
    throw new FrameFault(`call ${frame.call} where ${this.#calls} was due`);
  }
}

/** What a frame holds of the host's memory, so that no kind of frame can be sent without end. */
function sizeOf(frame: GuestFrame): number {
  switch (frame.type) {
    case "output":
      return frameBytes + frame.byteLength;
    case "tool_call":
      return frameBytes + frame.argumentsJson.length + frame.callKey.length + frame.tool.length;
    case "ending":
    case "result":
      return frameBytes; // each comes once
  }
}

/** Output that waits for the reader becomes one event per channel, as long as it is not too long. */
function merge(last: GuestFrame, next: GuestFrame): GuestFrame | undefined {
  if (last.type !== "output" || next.type !== "output") return undefined;
  if (last.channel !== next.channel || last.byteLength >= maxEventBytes) return undefined;
  // The frames are this queue's own: the array grows in place, a copy per frame would be quadratic.
  const chunks = last.chunks as Uint8Array[];
  for (const chunk of next.chunks) chunks.push(chunk);
  return { ...last, byteLength: last.byteLength + next.byteLength };
}
