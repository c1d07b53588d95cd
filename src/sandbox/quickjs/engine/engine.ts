import { availableParallelism } from "node:os";
import { youngMs } from "../../../shared/young.ts";
import { creditBytes } from "../messages.ts";
import { MemoryRoom } from "./memory-room.ts";
import { Pool } from "./pool.ts";
import { RecentUse } from "./recent-use.ts";
import type { RunLimits } from "./run.ts";
import { killed, type RunEnd } from "./run-end.ts";
import type { Snapshot } from "./snapshot.ts";
import type { HeldRun, RunUse, Thread } from "./thread.ts";
import { type LongRun, Turns } from "./turns.ts";
import { pageBytes } from "./vm.ts";

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
const watchMs = 20;
// For a thread to say what CPU time it has used, which it can where it looks around.
const answerMs = 50;
const graceMs = 20;
const cores = availableParallelism();
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
  readonly #watched = new Set<Thread>();
  readonly #turns = new Turns();
  readonly #recentUse = new RecentUse();
  readonly #room: MemoryRoom;
  #watching: NodeJS.Timeout | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { snapshot, maxThreads, warmThreads, memoryBytes, onData } = options;
    this.#room = new MemoryRoom({
      bytes: () => memoryBytes - this.#pool.threads.size * threadBytes,
      onGiven: (guest, bytes) => this.#onRoom(guest, bytes / pageBytes),
      onRefused: (guest) => this.#onNoRoom(guest),
    });
    this.#pool = new Pool({
      snapshot,
      maxThreads,
      warmThreads,
      listener: {
        onData,
        onEnd: (guest, end, use) => this.#end(guest, end, use),
        onRest: (guest) => this.#onRest(guest),
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
    run.backlog = [];
    const { writtenBytes } = this.#options.snapshot;
    const bytes = writtenBytes + heapBytes + firstPages * pageBytes;
    if (this.#ask(thread, guest, bytes)) this.#begin(thread, guest, run, firstPages);
    this.#watching ??= setInterval(() => this.#watch(), watchMs);
  }

  /** Hands a run one frame of the host's. */
  frame(guest: number, bytes: Uint8Array<ArrayBuffer>): void {
    const [thread, run] = this.#find(guest);
    if (thread === undefined || run === undefined) return;
    if (run.backlog !== undefined) {
      run.backlog.push(bytes);
      return;
    }
    this.#takeTurn(thread, run);
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
    this.#takeTurn(thread, run);
    thread.post({ type: "start", guest, control: control.buffer, limits });
    for (const bytes of backlog) thread.post({ type: "data", guest, bytes }, [bytes.buffer]);
  }

  #onGrow(guest: number, pages: number): void {
    const [thread, run] = this.#find(guest);
    if (thread === undefined || run === undefined) return;
    if (this.#ask(thread, guest, pages * pageBytes)) run.control.giveRoom(pages);
  }

  /** Asks for room; where there is none, threads free what they hold for nobody. */
  #ask(thread: Thread, guest: number, bytes: number): boolean {
    const isGiven = this.#room.ask(guest, thread.group ?? "", bytes);
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

  /** What reaches a run has it execute: at once, or in turn where its group has had its time of late. */
  #takeTurn(thread: Thread, { control }: HeldRun): void {
    const group = thread.group ?? "";
    if (this.#recentUse.of(group) >= youngMs) this.#turns.enter({ group, control });
  }

  #onRest(guest: number): void {
    const [, run] = this.#find(guest);
    if (run?.control.isWaiting) this.#turns.leave(run.control);
  }

  /** Counts what a run has used since it was last counted, among what its group's programs have. */
  #count(thread: Thread, run: HeldRun, usedMs: number): void {
    const newMs = Math.max(0, usedMs - run.countedMs);
    run.countedMs += newMs;
    this.#recentUse.add(thread.group ?? "", newMs);
  }

  #end(guest: number, end: RunEnd, use: RunUse): void {
    const [thread, run] = this.#find(guest);
    if (thread === undefined) return;
    this.#places.delete(guest);
    if (run !== undefined) {
      this.#turns.leave(run.control);
      this.#count(thread, run, use.cpuMs);
    }
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

  /**
   * Looks for runs that are deep in one operation, where they cannot see their own limit, and for those
   * that have computed for long while others want the cores: these let others go first, and take turns.
   */
  #watch(): void {
    if (this.#places.size === 0) {
      clearInterval(this.#watching);
      this.#watching = undefined;
      return;
    }
    const busy = [...this.#pool.threads].flatMap((thread) => {
      const found = thread.executing();
      return found === undefined ? [] : [[thread, ...found] as const];
    });
    const long: LongRun[] = [];
    for (const [thread, guest, run] of busy) {
      const isStuck = run.beats === run.control.beats;
      run.beats = run.control.beats;
      if (isStuck && !this.#watched.has(thread)) void this.#look(thread, guest, run);
      const group = thread.group ?? "";
      if (thread.standsBack || this.#recentUse.of(group) >= youngMs) {
        long.push({ group, control: run.control });
      }
      if (!thread.standsBack && busy.length >= cores) void this.#age(thread, guest, run);
    }
    this.#turns.next(long);
  }

  async #age(thread: Thread, guest: number, run: HeldRun): Promise<void> {
    const cpuMs = await cpuOf(thread, answerMs);
    if (!run.control.isExecuting || this.#places.get(guest) !== thread) return;
    const usedMs = run.control.usedMs(cpuMs ?? 0);
    this.#count(thread, run, usedMs);
    if (usedMs < youngMs || thread.standsBack) return;
    thread.standBack();
    this.#options.onStandBack(thread.name);
  }

  async #look(thread: Thread, guest: number, run: HeldRun): Promise<void> {
    this.#watched.add(thread);
    const cpuMs = await cpuOf(thread, 1_000);
    this.#watched.delete(thread);
    const limitMs = run.limits?.activeMs ?? 0;
    const usedMs = run.control.usedMs(cpuMs ?? 0);
    // It has had the time to see its limit itself, and has not: it is deep in one operation.
    const isOver = run.control.isExecuting && usedMs > limitMs + graceMs;
    if (!isOver || cpuMs === undefined || this.#places.get(guest) !== thread) return;
    await this.#stop(thread, guest, { cause: "cpu", detail: `${limitMs} ms` }, cpuMs);
  }
}

function useOf({ control }: HeldRun): RunUse {
  return { cpuMs: control.waitedMs, peakMemoryBytes: control.memoryBytes };
}

/** CPU time of a thread, milliseconds; undefined where it does not come to say so. */
function cpuOf(thread: Thread, ms: number): Promise<number | undefined> {
  return Promise.race([thread.cpuMs().catch(() => undefined), after(ms)]);
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}
