import { backoffMs, type RetryPolicy } from "../shared/backoff.ts";
import { tryAgain } from "../shared/retrying.ts";
import { type CallFailure, type FailedCall, toCallFailure } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { RetryBudget } from "./retry-budget.ts";

/** A call that may be tried more than once. */
export interface RetriedCall extends FailedCall {
  readonly retry: RetryPolicy;
  /** Bounds all attempts and the waits between them, milliseconds. */
  readonly timeoutMs: number;
}

/** What bounds retries beside the call's own policy. */
export interface RetryBounds {
  /** The client's; undefined for no bound. */
  readonly budget?: RetryBudget | undefined;
  /** Whether the next attempt goes elsewhere, and so at once and as part of the same try. */
  readonly goesElsewhere?: (failure: CallFailure) => boolean;
}

/**
 * Runs an attempt until one succeeds, fails in a way that may have had an effect, or the policy, the
 * budget, the time or the scope ends; rejects with the last CodemodeError. An attempt gets the time
 * that is left.
 */
export async function retrying<T>(
  call: RetriedCall,
  scope: CallScope,
  attempt: (timeoutMs: number) => Promise<T>,
  { budget, goesElsewhere }: RetryBounds = {},
): Promise<T> {
  const endsAt = performance.now() + call.timeoutMs;
  let tries = 1;
  const waitMs = (error: unknown) => {
    const failure = toCallFailure(error, call);
    const { retryAfterMs, retryable } = failure.error;
    if (!retryable || performance.now() >= endsAt) return undefined;
    if (goesElsewhere?.(failure)) return 0;
    if (failure.isAnswered && budget?.spend() === false) return undefined;
    const ms = backoffMs(call.retry, tries, { retryAfterMs });
    tries += 1;
    return tries > call.retry.maxAttempts || performance.now() + ms >= endsAt ? undefined : ms;
  };
  const result = tryAgain({ signal: scope.signal, waitMs }, async () => {
    if (scope.error !== undefined) throw scope.error;
    return await attempt(Math.max(1, Math.ceil(endsAt - performance.now())));
  });
  return await result.then(
    (value) => {
      budget?.earn();
      return value;
    },
    (error: unknown) => {
      throw scope.error ?? toCallFailure(error, call).error;
    },
  );
}
