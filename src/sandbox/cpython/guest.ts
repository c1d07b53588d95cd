import type { Socket } from "node:net";
import { constants } from "node:os";
import { AsyncQueue } from "../../shared/queue.ts";
import type { Guest, GuestAnswer, GuestExit, GuestFrame, GuestProgram } from "../sandbox.ts";
import {
  answerFrame,
  type FrameCaps,
  FrameFault,
  FrameReader,
  limitsFrame,
  programFrame,
  type Ready,
  readGuestFrame,
  readReady,
} from "./frames.ts";
import type { ExitReport } from "./zygote.ts";

/** Bytes of frames that wait for the reader before the guest is made to wait. */
const highWaterBytes = 256 * 1024;
const maxEventBytes = 64 * 1024;
/** What a frame costs beside its payload. */
const frameBytes = 256;

/** What a guest asks of the zygote that holds it. */
export interface GuestKeeper {
  watch(pid: number, limits: { cpuSeconds: number; threads: number }): void;
  kill(pid: number): void;
}

/** Host side of one guest process: its socket, and its end as the zygote reports it. */
export class CpythonGuest implements Guest {
  readonly exited: Promise<GuestExit>;
  readonly #socket: Socket;
  readonly #keeper: GuestKeeper;
  readonly #frames: AsyncQueue<GuestFrame>;
  readonly #reader = new FrameReader(() => this.#caps);
  readonly #ready = Promise.withResolvers<Ready>();
  readonly #exit = Promise.withResolvers<GuestExit>();
  #pid = 0;
  #lockCpuMs = 0;
  #activeMs = Number.POSITIVE_INFINITY;
  #caps: FrameCaps = { resultBytes: 0, toolPayloadBytes: 0 };
  #calls = 0;
  #hasResult = false;
  #fault: string | undefined;

  constructor(socket: Socket, keeper: GuestKeeper) {
    this.#socket = socket;
    this.#keeper = keeper;
    this.exited = this.#exit.promise;
    this.#ready.promise.catch(() => {}); // a guest may be gone before anybody asks
    this.#frames = new AsyncQueue<GuestFrame>({
      sizeOf,
      merge,
      highWater: highWaterBytes,
      onFull: () => socket.pause(),
      onDrain: () => socket.resume(),
    });
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.once("close", () => {
      this.#frames.end();
      this.#ready.reject(new Error("a guest ended before it was locked"));
    });
    socket.once("end", () => socket.destroy());
    socket.on("error", () => socket.destroy()); // a killed guest resets its socket
  }

  get frames(): AsyncIterable<GuestFrame> {
    return this.#frames;
  }

  get pid(): number {
    return this.#pid;
  }

  /** Resolves with the guest's first frame: it is locked and waits for a program. */
  get ready(): Promise<Ready> {
    return this.#ready.promise;
  }

  start(program: GuestProgram): void {
    this.#caps = program;
    this.#activeMs = program.activeMs;
    // One write: the guest reads exactly the limits before it is tightened.
    this.#socket.write(Buffer.concat([limitsFrame(program), programFrame(program)]));
    // After the program, so that the zygote does not run in its way; a thread is held until its limit is known.
    const cpuSeconds = (this.#lockCpuMs + program.activeMs) / 1000;
    // One thread more than the program's own: it waits for the answers of tools.
    this.#keeper.watch(this.#pid, { cpuSeconds, threads: program.threads + 1 });
  }

  answer(answer: GuestAnswer): void {
    if (this.#socket.writable) this.#socket.write(answerFrame(answer));
  }

  kill(): void {
    if (this.#pid !== 0) this.#keeper.kill(this.#pid);
    else this.#socket.destroy();
  }

  /** The zygote has reaped the guest. */
  onReaped(report: ExitReport): void {
    const cpuMs = Math.max(0, report.cpuMs - this.#lockCpuMs);
    const { peakMemoryBytes } = report;
    this.#exit.resolve({ ...this.#cause(report, cpuMs), cpuMs, peakMemoryBytes });
  }

  /** The zygote is gone, and every guest with it. */
  onLost(): void {
    this.#socket.destroy();
    this.#exit.resolve({ cause: "lost", detail: "", cpuMs: 0, peakMemoryBytes: 0 });
  }

  [Symbol.dispose](): void {
    this.kill();
    this.#frames.return();
    this.#socket.destroy();
  }

  #cause(report: ExitReport, cpuMs: number): Pick<GuestExit, "cause" | "detail"> {
    const { overCpu, signal, code } = report;
    if (this.#fault !== undefined) return { cause: "fault", detail: this.#fault };
    // The kernel's own CPU limit is the backstop of the zygote's.
    const isAtKernelLimit = signal === constants.signals.SIGKILL && cpuMs >= this.#activeMs;
    if (overCpu || isAtKernelLimit) return { cause: "cpu", detail: `${this.#activeMs} ms` };
    if (signal !== null) return { cause: "signalled", detail: signalName(signal) };
    return { cause: "exited", detail: `status ${code}` };
  }

  #receive(chunk: Buffer): void {
    if (this.#fault !== undefined || this.#hasResult) return;
    try {
      const frames = this.#reader.push(chunk);
      const first = this.#pid === 0 ? frames.shift() : undefined;
      if (first !== undefined) this.#onReady(readReady(first));
      const read = frames.map((raw) => this.#inOrder(readGuestFrame(raw, this.#caps)));
      for (const frame of joined(read)) this.#push(frame);
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error;
      this.#fault = error.message;
      this.#ready.reject(error);
      this.#frames.end();
      this.kill();
    }
  }

  /** The first result wins, and is the last thing that a guest says. */
  #push(frame: GuestFrame): void {
    if (this.#hasResult) return;
    this.#hasResult = frame.type === "result";
    this.#frames.push(frame);
  }

  #inOrder(frame: GuestFrame): GuestFrame {
    if (frame.type !== "tool_call") return frame;
    this.#calls += 1;
    if (frame.call === this.#calls) return frame;
    throw new FrameFault(`call ${frame.call} where ${this.#calls} was due`);
  }

  #onReady(ready: Ready): void {
    this.#pid = ready.pid;
    this.#lockCpuMs = ready.cpuMs ?? 0;
    this.#ready.resolve(ready);
  }
}

/** What a frame holds of the host's memory, so that no kind of frame can be sent without end. */
function sizeOf(frame: GuestFrame): number {
  switch (frame.type) {
    case "output":
      return frameBytes + frame.byteLength;
    case "tool_call":
      return frameBytes + frame.argumentsJson.length + frame.callKey.length + frame.tool.length;
    case "result":
      return frameBytes;
  }
}

/** Frames that came in one tick, output of one channel as one: one tick is one event. */
function joined(frames: readonly GuestFrame[]): GuestFrame[] {
  const result: GuestFrame[] = [];
  for (const frame of frames) {
    const last = result.at(-1);
    const both = last && merge(last, frame);
    if (both === undefined) result.push(frame);
    else result[result.length - 1] = both;
  }
  return result;
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

function signalName(number: number): string {
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return name ?? `signal ${number}`;
}
