/** How many retries a client makes beside its first attempts, over all its calls. */
export interface RetryBudgetOptions {
  /** Tokens at most, and at the start; there are retries while more than half of them are left. */
  readonly maxTokens: number;
  /** What a call that succeeds gives back, in tokens; one that the service turns away costs 1. */
  readonly tokenRatio: number;
}

/** Bursts are waited out; a service that keeps turning calls away gets a tenth more, not a multiple. */
export const defaultRetryBudget: RetryBudgetOptions = { maxTokens: 1_000, tokenRatio: 0.1 };

/**
 * The tokens of a client (as gRPC's retryThrottling, gRFC A6): when most calls are turned away,
 * nobody tries again, so that retries do not keep an overloaded service down.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  #tokens: number;

  constructor(options: RetryBudgetOptions) {
    this.#options = options;
    this.#tokens = options.maxTokens;
  }

  /** Takes note of a call that the service took. */
  earn(): void {
    this.#tokens = Math.min(this.#options.maxTokens, this.#tokens + this.#options.tokenRatio);
  }

  /** Takes note of a call that was turned away; false when it should not be tried again. */
  spend(): boolean {
    this.#tokens = Math.max(0, this.#tokens - 1);
    return this.#tokens > this.#options.maxTokens / 2;
  }
}
