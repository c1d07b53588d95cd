import { sleep } from "../shared/abort.ts";
import { backoffMs, type RetryPolicy } from "../shared/backoff.ts";
import { type FailedCall, toCallError } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";

/** A call that may be tried more than once. */
export interface RetriedCall extends FailedCall {
  readonly retry: RetryPolicy;
  /** Bounds all attempts and the waits between them, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Runs an attempt until one succeeds, fails in a way that may have had an effect, or the policy, the
 * time or the scope ends; rejects with the last CodemodeError. An attempt gets the time that is left.
 */
export async function retrying<T>(
  call: RetriedCall,
  scope: CallScope,
  attempt: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  const endsAt = performance.now() + call.timeoutMs;
  for (let tries = 1; ; tries++) {
    if (scope.error !== undefined) throw scope.error;
    try {
      return await attempt(Math.max(1, Math.ceil(endsAt - performance.now())));
    } catch (error) {
      const failure = scope.error ?? toCallError(error, call);
      const { retryAfterMs } = failure;
      const waitMs = backoffMs(call.retry, tries, { retryAfterMs });
      const isLast = tries >= call.retry.maxAttempts || performance.now() + waitMs >= endsAt;
      if (isLast || !failure.retryable) throw failure;
      await sleep(waitMs, scope.signal).catch(() => {
        throw scope.error ?? failure;
      });
    }
  }
}
