import { availableParallelism } from "node:os";
import { FairQueue, type Place } from "../../../shared/fair-queue.ts";
import type { RunControl } from "./run-control.ts";

/** A run that computes, of a group whose programs have computed for long, and whose it is. */
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
  /** Those whose turn it is, and their groups. */
  readonly #going = new Map<RunControl, string>();
  readonly #queue = new FairQueue<LongRun>();
  readonly #standing = new Map<RunControl, Place<LongRun>>();

  /** `atOnce` runs execute at a time: as many as there are cores where nothing is said. */
  constructor(atOnce = availableParallelism()) {
    this.#atOnce = atOnce;
  }

  /**
   * A run is about to execute whose group has had much of late: beside long runs of other groups it
   * takes turns from the beginning, and without them it goes on.
   */
  enter({ group, control }: LongRun): void {
    if (this.#going.has(control) || this.#standing.has(control) || !this.#hasOthers(group)) return;
    this.#wait({ group, control });
    this.#fill();
  }

  /** A run has ended, or waits for something. */
  leave(control: RunControl): void {
    const place = this.#standing.get(control);
    if (place !== undefined) {
      this.#queue.remove(place);
      this.#release(control);
    }
    control.takesTurns = false;
    if (this.#going.delete(control)) this.#fill();
  }

  /** Ends the turns of those that execute, and gives the next ones theirs. `runs` are all there are. */
  next(runs: readonly LongRun[]): void {
    const known = new Set(runs.map(({ control }) => control));
    for (const control of [...this.#standing.keys(), ...this.#going.keys()]) {
      // One that has not begun is not among them yet.
      if (!known.has(control) && !control.isFresh) this.leave(control);
    }
    this.#going.clear();
    for (const run of runs) if (!this.#standing.has(run.control)) this.#wait(run);
    this.#fill();
  }

  #hasOthers(group: string): boolean {
    if (this.#queue.size > this.#queue.sizeOf(group)) return true;
    for (const other of this.#going.values()) if (other !== group) return true;
    return false;
  }

  #wait(run: LongRun): void {
    run.control.takesTurns = true;
    this.#standing.set(run.control, this.#queue.push(run.group, run));
  }

  #fill(): void {
    while (this.#going.size < this.#atOnce) {
      const run = this.#queue.take(() => true);
      if (run === undefined) break;
      this.#going.set(run.control, run.group);
      this.#release(run.control);
    }
    for (const control of this.#standing.keys()) control.stand();
  }

  #release(control: RunControl): void {
    this.#standing.delete(control);
    control.goOn();
  }
}
