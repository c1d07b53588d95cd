import { FairLine } from "../../shared/fair-line.ts";
import { sharedPlaces } from "../../shared/places.ts";
import type { Shares } from "../../shared/shares.ts";

/** A number of places, each taken by one at a time; who finds none free waits, and groups take turns. */
export class Slots {
  readonly #shares: Shares;
  readonly #line = new FairLine<void>();

  constructor(count: number) {
    this.#shares = sharedPlaces(count);
  }

  /** Takes a place as soon as there is one for the group; rejects with `signal.reason` when that aborts before. */
  async take(group: string, signal: AbortSignal): Promise<void> {
    if (this.#shares.mayTake(group)) this.#shares.take(group);
    else await this.#line.wait(group, signal);
  }

  /** Gives a place of the group's back, to the next in line where there is one. */
  give(group: string): void {
    this.#shares.giveBack(group);
    for (;;) {
      const next = this.#line.give(undefined, (each) => this.#shares.mayTake(each));
      if (next === undefined) return;
      this.#shares.take(next);
    }
  }
}
