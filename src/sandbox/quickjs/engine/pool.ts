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
 * the same group whose runs all wait; where there is none of these, whoever asks waits.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #threads = new Set<Thread>();
  readonly #askers: Asker[] = [];
  #looking: NodeJS.Timeout | undefined;
  #trimming: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
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
      this.#askers.push({ guest, group, onPlace });
      // Threads do not say when they begin to wait: that would cost every run.
      this.#looking ??= setInterval(() => this.#serve(), lookMs);
      return;
    }
    this.#give(thread, { guest, group, onPlace });
  }

  /** Whoever waits for a place does not any more; false when it does not wait. */
  forget(guest: number): boolean {
    const index = this.#askers.findIndex((asker) => asker.guest === guest);
    if (index >= 0) this.#askers.splice(index, 1);
    return index >= 0;
  }

  /** A thread has room, or is idle. */
  free(thread: Thread): void {
    if (thread.runs.size === 0 && thread.isWorn) {
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
    thread.hold(guest, group);
    onPlace(thread);
    setImmediate(() => this.#keepOneIdle());
  }

  #place(group: string): Thread | undefined {
    const shared = this.#shared(group);
    if (shared !== undefined && this.#isScarce()) return shared;
    return this.#idle() ?? (this.#hasRoom() ? this.#add() : shared);
  }

  /** The idle thread that was used last: its code is warm. */
  #idle(): Thread | undefined {
    let best: Thread | undefined;
    for (const thread of this.#threads) {
      if (thread.runs.size > 0 || thread.isWorn) continue;
      if (best === undefined || thread.idleSince > best.idleSince) best = thread;
    }
    return best;
  }

  /** The thread of a group with the fewest runs, all of which wait. */
  #shared(group: string): Thread | undefined {
    let best: Thread | undefined;
    for (const thread of this.#threads) {
      if (thread.group !== group || thread.isWorn || thread.isFull) continue;
      if (best !== undefined && thread.runs.size >= best.runs.size) continue;
      if (thread.waits) best = thread;
    }
    return best;
  }

  #isScarce(): boolean {
    let held = 0;
    for (const thread of this.#threads) if (thread.runs.size > 0) held += 1;
    return held >= this.#options.maxThreads * scarceShare;
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
    // Those who ask may be a thousand, and what one of a group cannot have no other of it can.
    const hopeless = new Set<string>();
    for (const asker of this.#askers.splice(0)) {
      const thread = hopeless.has(asker.group) ? undefined : this.#place(asker.group);
      if (thread !== undefined) {
        this.#give(thread, asker);
        continue;
      }
      hopeless.add(asker.group);
      this.#askers.push(asker);
    }
    if (this.#askers.length > 0) return;
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
