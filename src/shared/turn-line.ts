import { FairQueue } from "./fair-queue.ts";

/** Gives turns of the event loop, one to each who waits, in turn over their tenants. */
export class TurnLine {
  readonly #waiting = new FairQueue<() => void>();

  /** Resolves in a later turn that nobody else who waits here has. */
  next(tenant = ""): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(tenant, resolve);
      if (this.#waiting.size === 1) setImmediate(() => this.#give());
    });
  }

  #give(): void {
    this.#waiting.take(() => true)?.();
    // From within an immediate the next one is of the next turn, with input and timers in between.
    if (this.#waiting.size > 0) setImmediate(() => this.#give());
  }
}
