import { creditBytes } from "../messages.ts";
import { MemoryRoom } from "./memory-room.ts";
import { Pool } from "./pool.ts";
import type { RunLimits } from "./run.ts";
import { killed, type RunEnd } from "./run-end.ts";
import type { Snapshot } from "./snapshot.ts";
import type { HeldRun, RunUse, Thread } from "./thread.ts";
import { pageBytes } from "./vm.ts";
import { after, cpuOf, Watch } from "./watch.ts";

/** Options of an `Engine`. */
export interface EngineOptions {
  readonly snapshot: Snapshot;
  readonly maxThreads: number;
  readonly warmThreads: number;
  /** Memory that threads and their runs may hold together, bytes. */
  readonly memoryBytes: number;
  readonly onLeased: (guest: number) => void;
  readonly onData: (guest: number, bytes: Uint8Array) => void;
  readonly onEnd: (guest: number, end: RunEnd, use: RunUse) => void;
  /** A thread is to let others go first; it cannot say so itself. */
  readonly onStandBack: (thread: string) => void;
}

// A killed run answers within a few milliseconds unless it is deep in one operation of the language.
const patienceMs = 40;
// Others would go with it.
const patienceWithMatesMs = 250;
const longestPatienceMs = 500;
// What a run is begun with and need not ask for: most need no more.
const firstPages = 16;
// Of its thread's own heap, beside its instance's memory.
const heapBytes = 256 * 1024;
// What a thread takes that has no run, measured.
const threadBytes = 12 * 1024 * 1024;
const unused: RunUse = { cpuMs: 0, peakMemoryBytes: 0 };

const noPlace: RunEnd = { cause: "lost", detail: "no thread was free" };
const lost: RunEnd = {
  cause: "lost",
  detail: "another program of the same tenant held its thread and had to be stopped",
};

/** The main thread of the engine: it places runs in threads, and ends those that do not end themselves. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #pool: Pool;
  readonly #places = new Map<number, Thread>();
  readonly #watch: Watch;
  readonly #room: MemoryRoom;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { snapshot, maxThreads, warmThreads, memoryBytes, onData } = options;
    this.#room = new MemoryRoom({
      bytes: memoryBytes - maxThreads * threadBytes,
      onGiven: (guest, bytes) => this.#onRoom(guest, bytes / pageBytes),
      onRefused: (guest) => this.#onNoRoom(guest),
    });
    this.#watch = new Watch({
      threads: () => this.#pool.threads,
      isHeld: (thread, guest) => this.#places.get(guest) === thread,
      onOverLimit: (thread, guest, limitMs, cpuMs) =>
        void this.#stop(thread, guest, { cause: "cpu", detail: `${limitMs} ms` }, cpuMs),
      onStandBack: (thread) => options.onStandBack(thread.name),
    });
    this.#pool = new Pool({
      snapshot,
      maxThreads,
      warmThreads,
      listener: {
        onData,
        onEnd: (guest, end, use) => this.#end(guest, end, use),
        onRest: (guest) => {
          const [, run] = this.#find(guest);
          if (run !== undefined) this.#watch.rest(run);
        },
        onGrow: (guest, pages) => this.#onGrow(guest, pages),
        onFreed: (guest) => this.#room.giveBack(guest),
        onGone: (thread, why) => this.#onGone(thread, why),
      },
    });
  }

  /** Resolves when the first threads wait for work. */
  warm(): Promise<void> {
    return this.#pool.warm();
  }

  lease(guest: number, group: string): void {
    this.#pool.lease(guest, group, (thread) => {
      this.#places.set(guest, thread);
      this.#options.onLeased(guest);
    });
  }

  start(guest: number, limits: RunLimits): void {
    // The service starts without asking only what must have a place; what has none would never end.
    if (this.#pool.forget(guest)) this.#options.onEnd(guest, noPlace, unused);
    const [thread, run] = this.#find(guest);
    if (thread === undefined || run === undefined) return;
    run.limits = limits;
    run.control.give(creditBytes);
    const { writtenBytes } = this.#options.snapshot;
    const bytes = writtenBytes + heapBytes + firstPages * pageBytes;
    if (this.#ask(thread, guest, bytes, true)) this.#begin(thread, guest, run, firstPages);
    this.#watch.begin();
  }

  /** Hands a run one frame of the host's. */
  frame(guest: number, bytes: Uint8Array<ArrayBuffer>): void {
    const [thread, run] = this.#find(guest);
    if (thread === undefined || run === undefined) return;
    if (run.backlog !== undefined) {
      run.backlog.push(bytes);
      return;
    }
    this.#watch.reach(thread, run);
    thread.post({ type: "data", guest, bytes }, [bytes.buffer]);
  }

  credit(guest: number, bytes: number): void {
    this.#find(guest)[1]?.control.give(bytes);
  }

  /** Ends a run: at once where it waits, within a moment where it executes. */
  kill(guest: number): void {
    if (this.#pool.forget(guest)) {
      this.#options.onEnd(guest, killed, unused);
      return;
    }
    const [thread, run] = this.#find(guest);
    if (thread === undefined || run === undefined) return;
    run.control.kill();
    if (run.control.endWaiting()) {
      thread.post({ type: "drop", guest });
      this.#end(guest, killed, useOf(run));
      return;
    }
    const ms = thread.runs.size > 1 ? patienceWithMatesMs : patienceMs;
    void this.#insist(thread, guest, ms);
  }

  /**
   * Stops the thread of a killed run that does not end. What counts is the thread's own CPU time: on a
   * busy machine its turn may not have come, and it would be stopped for nothing.
   */
  async #insist(thread: Thread, guest: number, ms: number): Promise<void> {
    const isOver = () => this.#places.get(guest) !== thread;
    const beforeMs = await cpuOf(thread, ms);
    let nowMs = beforeMs;
    for (let waitedMs = 0; waitedMs < longestPatienceMs; waitedMs += ms) {
      await after(ms);
      if (isOver()) return;
      nowMs = await cpuOf(thread, ms);
      if (nowMs === undefined || nowMs - (beforeMs ?? 0) >= ms / 2) break;
    }
    if (!isOver()) await this.#stop(thread, guest, killed, nowMs ?? beforeMs);
  }

  #find(guest: number): [Thread, HeldRun | undefined] | [] {
    const thread = this.#places.get(guest);
    return thread === undefined ? [] : [thread, thread.runs.get(guest)];
  }

  /** There is room for a run: it begins, with what has come for it. */
  #begin(thread: Thread, guest: number, run: HeldRun, pages: number): void {
    const { backlog = [], control, limits } = run;
    if (limits === undefined) return;
    run.backlog = undefined;
    control.giveRoom(pages);
    this.#watch.reach(thread, run);
    thread.post({ type: "start", guest, control: control.buffer, limits });
    for (const bytes of backlog) thread.post({ type: "data", guest, bytes }, [bytes.buffer]);
  }

  #onGrow(guest: number, pages: number): void {
    const [thread, run] = this.#find(guest);
    if (thread === undefined || run === undefined) return;
    if (this.#ask(thread, guest, pages * pageBytes, false)) run.control.giveRoom(pages);
  }

  /** Asks for room; where there is none, threads free what they hold for nobody. */
  #ask(thread: Thread, guest: number, bytes: number, isNew: boolean): boolean {
    const isGiven = this.#room.ask({ guest, group: thread.group ?? "", bytes, isNew });
    if (!isGiven) for (const each of this.#pool.threads) each.collect();
    return isGiven;
  }

  #onRoom(guest: number, pages: number): void {
    const [thread, run] = this.#find(guest);
    if (thread === undefined || run === undefined) return;
    if (run.backlog !== undefined) this.#begin(thread, guest, run, firstPages);
    else run.control.giveRoom(pages);
  }

  /** A run that has not begun may do with what an instance begins with; one that grows ends. */
  #onNoRoom(guest: number): void {
    const [thread, run] = this.#find(guest);
    if (thread === undefined || run === undefined) return;
    if (run.backlog !== undefined) this.#begin(thread, guest, run, 0);
    else run.control.refuseRoom();
  }

  /** A run that has ended gives its memory back: what it has grown by when its thread has freed that. */
  #leaveRoom(thread: Thread, guest: number, { peakMemoryBytes }: RunUse): void {
    this.#room.forget(guest);
    const grownBytes = peakMemoryBytes - this.#options.snapshot.pages * pageBytes;
    if (grownBytes > 0) thread.keepUntilFreed(guest);
    if (this.#room.isShort) thread.collect();
    this.#room.giveBack(guest, Math.max(0, grownBytes));
  }

  #end(guest: number, end: RunEnd, use: RunUse): void {
    const [thread, run] = this.#find(guest);
    if (thread === undefined) return;
    this.#places.delete(guest);
    if (run !== undefined) this.#watch.leave(thread, run, use.cpuMs);
    this.#leaveRoom(thread, guest, use);
    this.#options.onEnd(guest, end, use);
    this.#pool.release(thread, guest);
  }

  /** Ends a thread for the sake of one of its runs; the others are lost with it. */
  async #stop(thread: Thread, culprit: number, end: RunEnd, knownMs = 0): Promise<void> {
    const runs = [...thread.runs];
    // From here on the thread cannot end a run itself.
    for (const [, { control }] of runs) if (!control.endExecuting()) control.endWaiting();
    this.#pool.remove(thread);
    const cpuMs = (await cpuOf(thread, patienceMs)) ?? knownMs;
    thread.stop();
    for (const [guest, run] of runs) {
      const use = useOf(run);
      if (guest !== culprit) this.#end(guest, lost, use);
      else this.#end(guest, end, { ...use, cpuMs: run.control.usedMs(cpuMs) });
    }
  }

  #onGone(thread: Thread, why: string): void {
    this.#pool.remove(thread);
    const end: RunEnd = { cause: "lost", detail: `its thread ended: ${why}` };
    for (const [guest, run] of [...thread.runs]) this.#end(guest, end, useOf(run));
  }
}

function useOf({ control }: HeldRun): RunUse {
  return { cpuMs: control.waitedMs, peakMemoryBytes: control.memoryBytes };
}
