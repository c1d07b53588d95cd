/** How often and how patiently something is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly maxAttempts: number;
  /** Wait before the first retry, milliseconds; doubles from there. */
  readonly baseMs: number;
  /** Longest wait, milliseconds. */
  readonly maxMs: number;
  /** Share of the wait that is random, 0 to 1. */
  readonly jitter: number;
}

/** The policy where none is given. */
export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 4,
  baseMs: 100,
  maxMs: 5_000,
  jitter: 0.5,
};

/**
 * Wait before retry number `retry` (from 1), milliseconds. A server's own word is a lower bound,
 * spread upwards, so that the callers that it turned away together do not come back together.
 */
export function backoffMs(
  policy: RetryPolicy,
  retry: number,
  {
    retryAfterMs = 0,
    random = Math.random,
  }: { retryAfterMs?: number | undefined; random?: () => number } = {},
): number {
  const full = Math.min(policy.maxMs, policy.baseMs * 2 ** (retry - 1));
  const spread = full * policy.jitter * random();
  return Math.max(full - spread, retryAfterMs === 0 ? 0 : retryAfterMs + spread);
}
