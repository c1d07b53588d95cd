import { availableParallelism } from "node:os";
import { sleep, startTimer } from "../../shared/abort.ts";
import { youngMs } from "../../shared/young.ts";
import { limitsFrame } from "../cpython/limits-frame.ts";
import { FramePort } from "../frame-port.ts";
import { readReady } from "../frames.ts";
import { isAlive, type ProcessUse, programBehind, useOf } from "../process-use.ts";
import type { Guest, GuestAnswer, GuestExit, GuestFrame, GuestProgram } from "../sandbox.ts";
import { standBack } from "../stand-back.ts";
import type { WalledExit, WalledProcess } from "../wall/wall.ts";

const minCheckMs = 10;
const goneCheckMs = 1;
const laterMs = 100;
const maxWordsLength = 500;
const nothingUsed: ProcessUse = { cpuMs: 0, peakMemoryBytes: 0 };

/** Host side of one process with an interpreter: its socket, its limit of CPU time, and its end. */
export class PyodideGuest implements Guest {
  /** Resolves when it waits for a program; rejects with the reason when it never will. */
  readonly ready: Promise<void>;
  readonly exited: Promise<GuestExit>;
  readonly #process: WalledProcess;
  readonly #port: FramePort;
  readonly #ready = Promise.withResolvers<void>();
  /** The program, behind whatever launches it. */
  #pid = 0;
  #fresh = nothingUsed;
  #last = nothingUsed;
  #check: Disposable | undefined;
  #activeMs = Number.POSITIVE_INFINITY;
  #isOverCpu = false;
  /** It has computed for a while, and lets others go first. */
  #standsBack = false;
  #isKilled = false;
  /** How the program ended by its own process's word: it is still there then, so that it can be measured. */
  #ending: string | undefined;
  #complaint = "";
  #hasEnded = false;

  constructor(process: WalledProcess) {
    this.#process = process;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // it may be gone before anybody asks
    const { channel, child } = process;
    this.#port = new FramePort({
      link: {
        write: (bytes) => void (channel.writable && channel.write(bytes)),
        pause: () => void channel.pause(),
        resume: () => void channel.resume(),
        close: () => void channel.destroy(),
      },
      onGreeting: (frame) => {
        readReady(frame);
        this.#pid = programBehind(child.pid ?? 0);
        this.#fresh = useOf(this.#pid) ?? nothingUsed;
        this.#ready.resolve();
      },
      onFault: () => this.kill(),
    });
    channel.on("data", (chunk: Buffer) => this.#port.receive(chunk));
    channel.once("close", () => this.#port.end());
    child.stdout.setEncoding("utf8").on("data", (words: string) => this.#onWords(words));
    child.stderr.setEncoding("utf8").on("data", (words: string) => {
      this.#complaint = (this.#complaint + words).slice(-maxWordsLength);
    });
    this.exited = this.#end();
  }

  get frames(): AsyncIterable<GuestFrame> {
    return this.#port.frames;
  }

  /** It is gone: it will not run a program. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  start(program: GuestProgram): void {
    this.#activeMs = program.activeMs;
    this.#port.start(program, [limitsFrame(program)]);
    this.#watch();
  }

  answer(answer: GuestAnswer): void {
    this.#port.answer(answer);
  }

  kill(): void {
    if (this.#hasEnded || this.#isKilled) return;
    this.#measure();
    this.#isKilled = true;
    this.#process.kill();
  }

  [Symbol.dispose](): void {
    this.kill();
    this.#port.close();
  }

  /** Looks again no sooner than the program could have used what it has left. */
  #watch(): void {
    const usedMs = this.#cpuMs();
    if (usedMs >= youngMs && !this.#standsBack) this.#standsBack = standBack(this.#pid);
    const nextMs =
      usedMs < youngMs ? youngMs : this.#standsBack ? this.#activeMs : usedMs + laterMs;
    const leftMs = Math.min(nextMs, this.#activeMs) - usedMs;
    this.#check = startTimer(Math.max(minCheckMs, leftMs / availableParallelism()), () => {
      this.#measure();
      this.#isOverCpu = this.#cpuMs() >= this.#activeMs;
      if (this.#isOverCpu) this.kill();
      else if (!this.#hasEnded) this.#watch();
    });
  }

  #measure(): void {
    if (this.#pid !== 0) this.#last = useOf(this.#pid) ?? this.#last;
  }

  #cpuMs(): number {
    return Math.max(0, this.#last.cpuMs - this.#fresh.cpuMs);
  }

  #onWords(words: string): void {
    this.#ending ??= words.slice(0, maxWordsLength).trim();
    // Its thread has ended; the process waits to be measured and killed.
    this.kill();
  }

  async #end(): Promise<GuestExit> {
    const { child, exited } = this.#process;
    // Not the end of its streams: what was said may wait for a reader that comes later, or never.
    const ended = new Promise<WalledExit>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    const exit = await Promise.race([ended, exited]);
    // Behind a launcher the program dies of the launcher's death, a moment later.
    while (this.#pid !== 0 && isAlive(this.#pid)) await sleep(goneCheckMs);
    this.#hasEnded = true;
    this.#check?.[Symbol.dispose]();
    this.#ready.reject(new Error(this.#whyNotReady(exit)));
    const { peakMemoryBytes } = this.#last;
    return { ...this.#cause(exit), cpuMs: this.#cpuMs(), peakMemoryBytes };
  }

  #cause({ code, signal }: WalledExit): Pick<GuestExit, "cause" | "detail"> {
    if (this.#port.fault !== undefined) return { cause: "fault", detail: this.#port.fault };
    if (this.#isOverCpu) return { cause: "cpu", detail: `${this.#activeMs} ms` };
    if (this.#ending !== undefined) return { cause: "exited", detail: this.#ending };
    if (signal !== null) return { cause: "signalled", detail: signal };
    return { cause: "exited", detail: `status ${code}` };
  }

  #whyNotReady({ code, signal }: WalledExit): string {
    const [fault] = this.#complaint.trim().split("\n").slice(-1);
    return `an interpreter ended before it was ready: ${this.#ending || fault || signal || `status ${code}`}`;
  }
}
