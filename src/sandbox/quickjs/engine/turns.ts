import { availableParallelism } from "node:os";
import { FairQueue, type Place } from "../../../shared/fair-queue.ts";
import type { RunControl } from "./run-control.ts";

/** A run that has computed for long, and whose it is. */
export interface LongRun {
  readonly group: string;
  readonly control: RunControl;
}

/**
 * Lets few of the runs that compute for long execute at once, groups in turn, while the others stand
 * still: so that however many they are, a core is soon free for what has just begun.
 */
export class Turns {
  readonly #atOnce: number;
  readonly #queue = new FairQueue<RunControl>();
  readonly #standing = new Map<RunControl, Place<RunControl>>();

  /** `atOnce` runs execute at a time: as many as there are cores where nothing is said. */
  constructor(atOnce = availableParallelism()) {
    this.#atOnce = atOnce;
  }

  /** Ends the turns of those that execute, and gives the next ones theirs. `runs` are all there are. */
  next(runs: readonly LongRun[]): void {
    const known = new Set(runs.map(({ control }) => control));
    for (const [control, place] of this.#standing) {
      if (known.has(control)) continue;
      this.#queue.remove(place);
      this.#release(control);
    }
    for (const { group, control } of runs) {
      if (!this.#standing.has(control))
        this.#standing.set(control, this.#queue.push(group, control));
    }
    for (let left = this.#atOnce; left > 0; left -= 1) {
      const control = this.#queue.take(() => true);
      if (control === undefined) break;
      this.#release(control);
    }
    for (const control of this.#standing.keys()) control.stand();
  }

  #release(control: RunControl): void {
    this.#standing.delete(control);
    control.goOn();
  }
}
