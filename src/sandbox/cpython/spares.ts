import { availableParallelism } from "node:os";
import { FairLine } from "../../shared/fair-line.ts";
import type { CpythonGuest } from "./guest.ts";

/** Options of `Spares`. */
export interface SparesOptions {
  /** Guests that shall wait when nothing runs. */
  readonly target: number;
  readonly fork: (count: number) => void;
}

// Guests lock themselves side by side: with many at once none is ready soon, and the next in turn
// waits for all of them.
const mostForking = availableParallelism() + 1;

/** The guests of a zygote that wait for a program, and the leases that wait for a guest. */
export class Spares {
  readonly #options: SparesOptions;
  readonly #waiting: CpythonGuest[] = [];
  /** In turn over their groups: a thousand of one tenant keep nobody else waiting. */
  readonly #askers = new FairLine<CpythonGuest>();
  /** Forks that were asked for and have neither become a guest nor failed. */
  #forking = 0;

  constructor(options: SparesOptions) {
    this.#options = options;
  }

  /** Guests that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /**
   * A waiting guest, or the next one when it is the group's turn; rejects with `signal.reason` when
   * the signal aborts.
   */
  lease(signal: AbortSignal, group: string): Promise<CpythonGuest> {
    const guest = this.#waiting.shift();
    const answer = guest === undefined ? this.#askers.wait(group, signal) : Promise.resolve(guest);
    // A fork beside a run that has just begun would slow it: it can wait for the end of one, unless
    // half of the spares are gone.
    if (this.#waiting.length <= this.#options.target / 2) this.replenish();
    return answer;
  }

  /** A fork has become a guest that waits; one that nobody asks for any more is ended. */
  add(guest: CpythonGuest): void {
    this.#forking -= 1;
    if (this.#askers.give(guest) === undefined) {
      if (this.#waiting.length < this.#options.target) this.#waiting.push(guest);
      else guest[Symbol.dispose]();
    }
    this.replenish();
  }

  /** A guest that may be among those that wait has died. */
  remove(guest: CpythonGuest): void {
    const index = this.#waiting.indexOf(guest);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  /** A fork has come to nothing. */
  miss(): void {
    this.#forking -= 1;
  }

  /** Asks for the forks that are missing, a few at a time. */
  replenish(): void {
    const wanted = this.#options.target + this.#askers.size - this.#waiting.length;
    const missing = Math.min(wanted, mostForking) - this.#forking;
    if (missing <= 0) return;
    this.#forking += missing;
    this.#options.fork(missing);
  }

  /** Tells everybody who waits that there will be no guest. */
  refuseAll(error: unknown): void {
    this.#askers.refuseAll(error);
  }

  /** The zygote is gone: nothing waits any more. */
  clear(): void {
    this.#waiting.length = 0;
  }
}
