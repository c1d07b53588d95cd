import { untilAborted } from "../../shared/abort.ts";

/** A number of places, each taken by one at a time; who finds none free waits in line. */
export class Slots {
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Takes a place as soon as one is free; rejects with `signal.reason` when that aborts before. */
  async take(signal: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#line.push(resolve);
    try {
      await untilAborted(promise, signal);
    } catch (reason) {
      const place = this.#line.indexOf(resolve);
      if (place >= 0) this.#line.splice(place, 1);
      else this.give(); // it was given in the same moment
      throw reason;
    }
  }

  /** Gives a place back, to the first in line where there is one. */
  give(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
