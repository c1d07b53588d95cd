/** Options of a `TenantRates`. */
export interface TenantRatesOptions {
  /** Executions that a tenant may start in a minute; 0 for any number. */
  readonly perMinute: number;
  /** Clock, milliseconds. Default: the process's own. */
  readonly now?: (() => number) | undefined;
}

// Sums of fractions of a millisecond are off by less than this.
const toleranceMs = 0.001;

/**
 * A bucket of tokens for each tenant, one token for each execution. It fills evenly over a minute, and
 * a tenant that was idle has a whole minute's worth at once.
 */
export class TenantRates {
  readonly #perMinute: number;
  readonly #now: () => number;
  /** When each tenant's bucket will be full; a tenant that is not here has a full one. */
  readonly #fullAt = new Map<string, number>();

  constructor({ perMinute, now = () => performance.now() }: TenantRatesOptions) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** Takes a token and gives 0; without one, the time until there is one, milliseconds. */
  take(tenant: string): number {
    if (this.#perMinute === 0) return 0;
    const tokenMs = 60_000 / this.#perMinute;
    const now = this.#now();
    const fullAt = Math.max(this.#fullAt.get(tenant) ?? 0, now);
    const waitMs = fullAt + tokenMs - now - 60_000;
    if (waitMs > toleranceMs) return Math.ceil(waitMs - toleranceMs);
    this.#fullAt.set(tenant, fullAt + tokenMs);
    return 0;
  }

  /** Gives a token back: its execution did not start. */
  giveBack(tenant: string): void {
    const fullAt = this.#fullAt.get(tenant);
    if (fullAt === undefined) return;
    const before = fullAt - 60_000 / this.#perMinute;
    if (before > this.#now()) this.#fullAt.set(tenant, before);
    else this.#fullAt.delete(tenant);
  }
}
