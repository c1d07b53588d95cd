import type { ExecutionStore } from "../execution/store.ts";
import { startTimer } from "../shared/abort.ts";
import type { Readers } from "./readers.ts";

// Time for those who are about to read the end of a log that is too large to be kept.
const lingerMs = 5_000;

/**
 * Deletes logs from their store; those that somebody reads a little later, after which whoever still
 * reads is told that nothing is left (`out_of_range`). Disposing it deletes no more.
 */
export class DepartingLogs implements Disposable {
  readonly #store: ExecutionStore;
  readonly #timers = new Set<Disposable>();

  constructor(store: ExecutionStore) {
    this.#store = store;
  }

  /** Deletes the log of an ended execution. */
  drop({
    executionId,
    readers,
  }: {
    readonly executionId: string;
    readonly readers: Readers;
  }): void {
    if (readers.count === 0) {
      void this.delete(executionId);
      return;
    }
    const timer = startTimer(lingerMs, () => {
      this.#timers.delete(timer);
      void this.delete(executionId);
    });
    this.#timers.add(timer);
  }

  /** Deletes a log at once; never rejects. */
  async delete(executionId: string): Promise<void> {
    try {
      await this.#store.delete(executionId);
    } catch {
      // What a store cannot delete now it must let expire; nobody finds it any more either way.
    }
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers.clear();
  }
}
