import { FairQueue, type Place } from "../../../shared/fair-queue.ts";
import { sharedPlaces } from "../../../shared/places.ts";
import type { Shares } from "../../../shared/shares.ts";
import type { Snapshot } from "./snapshot.ts";
import { Thread, type ThreadListener } from "./thread.ts";

/** Options of a `Pool`. */
export interface PoolOptions {
  readonly snapshot: Snapshot;
  readonly maxThreads: number;
  /** Threads that wait for work while there is none. */
  readonly warmThreads: number;
  readonly listener: ThreadListener;
}

interface Asker {
  readonly guest: number;
  readonly group: string;
  readonly onPlace: (thread: Thread) => void;
}

const lookMs = 5;
const idleMs = 10_000;
/** The part of the threads that a group may hold while it could share. */
const scarceShare = 0.75;

/**
 * The threads of the engine. A thread holds runs of one group only: an idle one, a new one, or one of
 * the same group whose runs all wait; where there is none of these, whoever asks waits, groups in turn.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #threads = new Set<Thread>();
  /** Of the threads that hold runs. */
  readonly #shares: Shares;
  readonly #askers = new FairQueue<Asker>();
  readonly #places = new Map<number, Place<Asker>>();
  #looking: NodeJS.Timeout | undefined;
  #trimming: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#shares = sharedPlaces(options.maxThreads);
  }

  get threads(): ReadonlySet<Thread> {
    return this.#threads;
  }

  /** Starts the threads that wait while there is no work; resolves when they do. */
  async warm(): Promise<void> {
    while (this.#threads.size < this.#options.warmThreads) this.#add();
    await Promise.all([...this.#threads].map((thread) => thread.ready));
  }

  /** Finds a place for a run, at once or as soon as there is one. */
  lease(guest: number, group: string, onPlace: (thread: Thread) => void): void {
    const thread = this.#place(group);
    if (thread === undefined) {
      this.#places.set(guest, this.#askers.push(group, { guest, group, onPlace }));
      // Threads do not say when they begin to wait: that would cost every run.
      this.#looking ??= setInterval(() => this.#serve(), lookMs);
      return;
    }
    this.#give(thread, { guest, group, onPlace });
  }

  /** Whoever waits for a place does not any more; false when it does not wait. */
  forget(guest: number): boolean {
    const place = this.#places.get(guest);
    this.#places.delete(guest);
    return place !== undefined && this.#askers.remove(place);
  }

  /** A run has ended: its thread has room, or is idle. */
  release(thread: Thread, guest: number): void {
    const { group } = thread;
    const isIdle = thread.release(guest);
    if (isIdle && group !== undefined) this.#shares.giveBack(group);
    if (isIdle && isSpent(thread)) {
      this.remove(thread);
      thread.stop();
    }
    this.#serve();
    this.#trimming ??= setTimeout(() => this.#trim(), idleMs).unref();
  }

  /** A thread is gone. */
  remove(thread: Thread): void {
    this.#threads.delete(thread);
    if (this.#threads.size < this.#options.warmThreads) this.#add();
  }

  #give(thread: Thread, { guest, group, onPlace }: Asker): void {
    if (thread.runs.size === 0) this.#shares.take(group);
    thread.hold(guest, group);
    onPlace(thread);
    setImmediate(() => this.#keepOneIdle());
  }

  #place(group: string): Thread | undefined {
    const shared = this.#shared(group);
    if (shared !== undefined && this.#isScarce()) return shared;
    if (!this.#shares.mayTake(group)) return shared;
    return this.#idle() ?? (this.#hasRoom() ? this.#add() : shared);
  }

  /** The idle thread that was used last: its code is warm. */
  #idle(): Thread | undefined {
    let best: Thread | undefined;
    for (const thread of this.#threads) {
      if (thread.runs.size > 0 || isSpent(thread)) continue;
      if (best === undefined || thread.idleSince > best.idleSince) best = thread;
    }
    return best;
  }

  /** The thread of a group with the fewest runs, all of which wait; one that stands back if need be. */
  #shared(group: string): Thread | undefined {
    const isWanted = this.#askers.size > this.#askers.sizeOf(group);
    let best: Thread | undefined;
    for (const thread of this.#threads) {
      if (isWanted && !thread.isInTurn) continue;
      if (thread.group !== group || thread.isWorn || thread.isFull) continue;
      if (best !== undefined && !isBetter(thread, best)) continue;
      if (thread.waits) best = thread;
    }
    return best;
  }

  #isScarce(): boolean {
    return this.#shares.held >= this.#options.maxThreads * scarceShare;
  }

  #hasRoom(): boolean {
    return this.#threads.size < this.#options.maxThreads;
  }

  #add(): Thread {
    const thread = new Thread(this.#options.snapshot, this.#options.listener);
    this.#threads.add(thread);
    return thread;
  }

  #keepOneIdle(): void {
    if (this.#hasRoom() && this.#idle() === undefined) this.#add();
  }

  #serve(): void {
    for (;;) {
      let thread: Thread | undefined;
      const asker = this.#askers.take((group) => {
        thread = this.#place(group);
        return thread !== undefined;
      });
      if (asker === undefined || thread === undefined) break;
      this.#places.delete(asker.guest);
      this.#give(thread, asker);
    }
    if (this.#askers.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  #trim(): void {
    this.#trimming = undefined;
    const idle = [...this.#threads].filter((thread) => thread.runs.size === 0);
    idle.sort((one, other) => other.idleSince - one.idleSince);
    const now = performance.now();
    for (const thread of idle.slice(this.#options.warmThreads)) {
      if (now - thread.idleSince < idleMs) continue;
      this.#threads.delete(thread);
      thread.stop();
    }
    if (idle.length > this.#options.warmThreads) {
      this.#trimming = setTimeout(() => this.#trim(), idleMs).unref();
    }
  }
}

/** Whether an idle thread is to be replaced: the next run may be another group's. */
function isSpent(thread: Thread): boolean {
  return thread.isWorn || thread.standsBack;
}

function isBetter(one: Thread, other: Thread): boolean {
  if (one.standsBack !== other.standsBack) return other.standsBack;
  return one.runs.size < other.runs.size;
}
