import { sleep } from "../shared/abort.ts";
import { backoffMs } from "../shared/backoff.ts";
import { CodemodeError, CodemodeTimeoutError } from "../shared/errors.ts";
import { toCallFailure } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { PreparedFollow } from "./request.ts";

/** How an execution was lost. */
export interface Loss {
  readonly error: CodemodeError;
  /** Losses in a row, this one included. */
  readonly count: number;
  /** End of the caller's own time, on `performance.now()`. */
  readonly endsAt: number;
}

/**
 * Comes back to an execution whose connection was lost: waits, tries, and waits again after a failure
 * that may pass. Rejects with what an attempt failed with for good, with the loss when patience ends,
 * and as `deadline_exceeded` when the caller's time does.
 */
export async function comeBack<T>(
  call: PreparedFollow,
  scope: CallScope,
  loss: Loss,
  attempt: () => Promise<T>,
): Promise<T> {
  const givesUpAt = performance.now() + call.patienceMs;
  let retryAfterMs: number | undefined;
  for (let tries = loss.count; ; tries++) {
    const waitMs = backoffMs(call.retry, tries, { retryAfterMs });
    const wakesAt = performance.now() + waitMs;
    if (wakesAt >= loss.endsAt) throw tooLate(loss.error);
    if (wakesAt >= givesUpAt) throw loss.error;
    await sleep(waitMs, scope.signal).catch(() => {
      throw scope.error ?? loss.error;
    });
    try {
      return await attempt();
    } catch (error) {
      const failure = toCallFailure(error, call);
      const mayPass = failure.isLost || passing.has(failure.error.kind);
      if (scope.error !== undefined || !mayPass) throw scope.error ?? failure.error;
      retryAfterMs = failure.error.retryAfterMs;
    }
  }
}

/** Time until an end on `performance.now()`, milliseconds, at least 1; undefined for no end. */
export function timeLeft(endsAt: number): number | undefined {
  if (endsAt === Number.POSITIVE_INFINITY) return undefined;
  return Math.max(1, Math.ceil(endsAt - performance.now()));
}

/** Kinds of failure that say nothing about the execution. */
const passing: ReadonlySet<string> = new Set(["unavailable", "overloaded"]);

/** The error of an execution that cannot be come back to. */
export function lostFor(message: string, lost: CodemodeError): CodemodeError {
  const { correlationId, executionId } = lost;
  return new CodemodeError("execution_lost", message, { cause: lost, correlationId, executionId });
}

function tooLate(lost: CodemodeError): CodemodeError {
  const { correlationId, executionId } = lost;
  const message = "the deadline passed while the connection was lost";
  return new CodemodeTimeoutError(message, { cause: lost, correlationId, executionId });
}
