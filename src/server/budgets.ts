import { TokenBucket, type TokenBucketOptions } from "../shared/token-bucket.ts";

// Of the time, how much may be spent on one owner, beyond its burst.
const share = 0.25;

/** Options of `Budgets`. */
export interface BudgetsOptions extends Pick<TokenBucketOptions, "now"> {
  /** What may be spent on an owner before it has to wait, milliseconds. */
  readonly burstMs: number;
}

/**
 * What was lately spent on whom, of work that is bounded: an owner is whoever is to wait when it was too
 * much, such as a tenant or an address.
 */
export class Budgets {
  readonly #options: TokenBucketOptions;
  /** Of those for whom something was spent lately; the one for whom it was longest ago first. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor({ burstMs, now }: BudgetsOptions) {
    this.#options = { burst: burstMs, perMs: share, now };
  }

  /** Says what was spent, milliseconds. */
  spend(owner: string, ms: number): void {
    const bucket = this.#buckets.get(owner) ?? new TokenBucket(this.#options);
    bucket.take(ms);
    this.#buckets.delete(owner);
    for (const [other, { isFull }] of this.#buckets) {
      if (!isFull) break;
      this.#buckets.delete(other);
    }
    this.#buckets.set(owner, bucket);
  }

  /** Takes back what was said to be spent: it was good for something. */
  giveBack(owner: string, ms: number): void {
    this.#buckets.get(owner)?.take(-ms);
  }

  /** Milliseconds until more may be spent on an owner; 0 for at once. */
  restMs(owner: string): number {
    return this.#buckets.get(owner)?.owedMs ?? 0;
  }
}
