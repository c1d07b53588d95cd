import type { Socket } from "node:net";
import { constants } from "node:os";
import { FramePort } from "../frame-port.ts";
import { type RawFrame, type Ready, readReady } from "../frames.ts";
import type { Guest, GuestAnswer, GuestExit, GuestFrame, GuestProgram } from "../sandbox.ts";
import { limitsFrame } from "./limits-frame.ts";
import type { ExitReport, GuestLimits } from "./zygote.ts";

/** What a guest asks of the zygote that holds it. */
export interface GuestKeeper {
  watch(pid: number, limits: GuestLimits): void;
  kill(pid: number): void;
}

/** Host side of one guest process: its socket, and its end as the zygote reports it. */
export class CpythonGuest implements Guest {
  readonly exited: Promise<GuestExit>;
  readonly #socket: Socket;
  readonly #keeper: GuestKeeper;
  readonly #port: FramePort;
  readonly #ready = Promise.withResolvers<Ready>();
  readonly #exit = Promise.withResolvers<GuestExit>();
  #pid = 0;
  #lockCpuMs = 0;
  #activeMs = Number.POSITIVE_INFINITY;

  constructor(socket: Socket, keeper: GuestKeeper) {
    this.#socket = socket;
    this.#keeper = keeper;
    this.exited = this.#exit.promise;
    this.#ready.promise.catch(() => {}); // a guest may be gone before anybody asks
    this.#port = new FramePort({
      link: {
        write: (bytes) => void (socket.writable && socket.write(bytes)),
        pause: () => socket.pause(),
        resume: () => socket.resume(),
        close: () => socket.destroy(),
      },
      onGreeting: (frame) => this.#onReady(frame),
      onFault: (fault) => {
        this.#ready.reject(fault);
        this.kill();
      },
    });
    socket.on("data", (chunk) => this.#port.receive(chunk));
    socket.once("close", () => {
      this.#port.end();
      this.#ready.reject(new Error("a guest ended before it was locked"));
    });
    socket.once("end", () => socket.destroy());
    socket.on("error", () => socket.destroy()); // a killed guest resets its socket
  }

  get frames(): AsyncIterable<GuestFrame> {
    return this.#port.frames;
  }

  get pid(): number {
    return this.#pid;
  }

  /** Resolves with the guest's first frame: it is locked and waits for a program. */
  get ready(): Promise<Ready> {
    return this.#ready.promise;
  }

  start(program: GuestProgram): void {
    this.#activeMs = program.activeMs;
    // One write: the guest reads exactly the limits before it is tightened.
    this.#port.start(program, [limitsFrame(program)]);
    // After the program, so that the zygote does not run in its way; a thread is held until its limit is known.
    const cpuSeconds = (this.#lockCpuMs + program.activeMs) / 1000;
    // One thread more than the program's own: it waits for the answers of tools.
    this.#keeper.watch(this.#pid, { cpuSeconds, threads: program.threads + 1 });
  }

  answer(answer: GuestAnswer): void {
    this.#port.answer(answer);
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
    this.#port.close();
  }

  #cause(report: ExitReport, cpuMs: number): Pick<GuestExit, "cause" | "detail"> {
    const { overCpu, signal, code } = report;
    if (this.#port.fault !== undefined) return { cause: "fault", detail: this.#port.fault };
    // The kernel's own CPU limit is the backstop of the zygote's.
    const isAtKernelLimit = signal === constants.signals.SIGKILL && cpuMs >= this.#activeMs;
    if (overCpu || isAtKernelLimit) return { cause: "cpu", detail: `${this.#activeMs} ms` };
    if (signal !== null) return { cause: "signalled", detail: signalName(signal) };
    return { cause: "exited", detail: `status ${code}` };
  }

  #onReady(frame: RawFrame): void {
    const ready = readReady(frame);
    this.#pid = ready.pid;
    this.#lockCpuMs = ready.cpuMs ?? 0;
    this.#ready.resolve(ready);
  }
}

function signalName(number: number): string {
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return name ?? `signal ${number}`;
}
