/** Options of a `TokenBucket`. */
export interface TokenBucketOptions {
  /** The most that it holds, which is what it begins with. */
  readonly burst: number;
  /** What comes back in a millisecond. */
  readonly perMs: number;
  /** Clock, milliseconds. Default: the process's own. */
  readonly now?: (() => number) | undefined;
}

/** A token bucket that may be overdrawn: what it does not hold is owed. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perMs: number;
  readonly #now: () => number;
  #left: number;
  #countedAt: number;

  constructor({ burst, perMs, now = () => performance.now() }: TokenBucketOptions) {
    this.#burst = burst;
    this.#perMs = perMs;
    this.#now = now;
    this.#left = burst;
    this.#countedAt = now();
  }

  /** Nothing of it was taken lately. */
  get isFull(): boolean {
    return this.#fill() === this.#burst;
  }

  /** Milliseconds until nothing is owed. */
  get owedMs(): number {
    return this.take(0);
  }

  /** Takes so many, or gives back what is less than none; gives the milliseconds until nothing is owed. */
  take(tokens: number): number {
    this.#left = Math.min(this.#burst, this.#fill() - tokens);
    return Math.max(0, -this.#left / this.#perMs);
  }

  #fill(): number {
    const now = this.#now();
    this.#left = Math.min(this.#burst, this.#left + (now - this.#countedAt) * this.#perMs);
    this.#countedAt = now;
    return this.#left;
  }
}
