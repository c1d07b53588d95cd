import { availableParallelism } from "node:os";
import { youngMs } from "../../../shared/young.ts";
import { RecentUse } from "./recent-use.ts";
import type { HeldRun, Thread } from "./thread.ts";
import { type LongRun, Turns } from "./turns.ts";

/** Options of a `Watch`. */
export interface WatchOptions {
  readonly threads: () => Iterable<Thread>;
  /** Whether a thread still holds a run. */
  readonly isHeld: (thread: Thread, guest: number) => boolean;
  /** A run is over its limit of CPU time and cannot see that itself; `cpuMs` is its thread's. */
  readonly onOverLimit: (thread: Thread, guest: number, limitMs: number, cpuMs: number) => void;
  /** A thread lets others go first from now on. */
  readonly onStandBack: (thread: Thread) => void;
}

const lookMs = 20;
// For a thread to say what CPU time it has used, which it can where it looks around.
const answerMs = 50;
const longAnswerMs = 1_000;
const graceMs = 20;
const cores = availableParallelism();

/**
 * Sees what computes for long: runs that are deep in one operation, where they cannot see their own
 * limit, and those that have computed for long, alone or with others of their group, while others want
 * the cores. These let others go first, and take turns.
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #asked = new Set<Thread>();
  readonly #turns = new Turns();
  readonly #recentUse = new RecentUse();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** There is a run: looks from time to time, until there is none. */
  begin(): void {
    this.#timer ??= setInterval(() => this.#look(), lookMs);
  }

  /** What reaches a run has it execute: at once, or in turn where its group has had its time of late. */
  reach(thread: Thread, { control }: HeldRun): void {
    const group = thread.group ?? "";
    if (this.#hasHadItsTime(group)) this.#turns.enter({ group, control });
  }

  /** A run says that it waits. */
  rest({ control }: HeldRun): void {
    if (control.isWaiting) this.#turns.leave(control);
  }

  /** A run has ended, and has used so much CPU time. */
  leave(thread: Thread, run: HeldRun, cpuMs: number): void {
    this.#turns.leave(run.control);
    this.#count(thread, run, cpuMs);
  }

  #hasHadItsTime(group: string): boolean {
    return this.#recentUse.of(group) >= youngMs;
  }

  #look(): void {
    const threads = [...this.#options.threads()];
    if (threads.every(({ runs }) => runs.size === 0)) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const busy = threads.flatMap((thread) => {
      const found = thread.executing();
      return found === undefined || found[1].control.waitsForRoom
        ? []
        : [[thread, ...found] as const];
    });
    const long: LongRun[] = [];
    for (const [thread, guest, run] of busy) {
      const isStuck = run.beats === run.control.beats;
      run.beats = run.control.beats;
      if (isStuck && !this.#asked.has(thread)) void this.#lookAtLimit(thread, guest, run);
      const group = thread.group ?? "";
      if (thread.standsBack || this.#hasHadItsTime(group)) {
        long.push({ group, control: run.control });
      }
      if (!thread.standsBack && busy.length >= cores) void this.#lookAtAge(thread, guest, run);
    }
    this.#turns.next(long);
  }

  /** Counts what a run has used since it was last counted, among what its group's programs have. */
  #count(thread: Thread, run: HeldRun, usedMs: number): void {
    const newMs = Math.max(0, usedMs - run.countedMs);
    run.countedMs += newMs;
    this.#recentUse.add(thread.group ?? "", newMs);
  }

  async #lookAtAge(thread: Thread, guest: number, run: HeldRun): Promise<void> {
    const cpuMs = await cpuOf(thread, answerMs);
    if (!run.control.isExecuting || !this.#options.isHeld(thread, guest)) return;
    const usedMs = run.control.usedMs(cpuMs ?? 0);
    this.#count(thread, run, usedMs);
    if (usedMs < youngMs || thread.standsBack) return;
    thread.standBack();
    this.#options.onStandBack(thread);
  }

  async #lookAtLimit(thread: Thread, guest: number, run: HeldRun): Promise<void> {
    this.#asked.add(thread);
    const cpuMs = await cpuOf(thread, longAnswerMs);
    this.#asked.delete(thread);
    const limitMs = run.limits?.activeMs ?? 0;
    const usedMs = run.control.usedMs(cpuMs ?? 0);
    // It has had the time to see its limit itself, and has not: it is deep in one operation.
    const isOver = run.control.isExecuting && usedMs > limitMs + graceMs;
    if (!isOver || cpuMs === undefined || !this.#options.isHeld(thread, guest)) return;
    this.#options.onOverLimit(thread, guest, limitMs, cpuMs);
  }
}

/** CPU time of a thread, milliseconds; undefined where it does not come to say so. */
export function cpuOf(thread: Thread, ms: number): Promise<number | undefined> {
  return Promise.race([thread.cpuMs().catch(() => undefined), after(ms)]);
}

/** Resolves after a while. */
export function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}
