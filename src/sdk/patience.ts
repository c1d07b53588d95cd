import { sleep } from "../shared/abort.ts";
import { backoffMs } from "../shared/backoff.ts";
import { CodemodeError, CodemodeTimeoutError } from "../shared/errors.ts";
import { type CallFailure, toCallFailure } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { PreparedFollow } from "./request.ts";

/** How an execution was lost. */
export interface Loss {
  readonly error: CodemodeError;
  /** Losses in a row, this one included. */
  readonly count: number;
  /** End of the caller's own time, on `performance.now()`. */
  readonly endsAt: number;
  /** When the service says that it is worth another try, milliseconds from now. */
  readonly retryAfterMs?: number | undefined;
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
  let { retryAfterMs } = loss;
  for (let tries = loss.count; ; tries++) {
    const leftMs = Math.min(loss.endsAt, givesUpAt) - performance.now();
    const fullMs = Math.max(backoffMs(call.retry, tries, { retryAfterMs }), leastMs);
    // The nearer the end, the shorter the wait: a long one would give up with much of the time unused.
    const waitMs = retryAfterMs ? fullMs : Math.min(fullMs, Math.max(leftMs / 2, shortestMs));
    if (waitMs >= leftMs) throw loss.endsAt < givesUpAt ? tooLate(loss.error) : loss.error;
    await sleep(waitMs, scope.signal).catch(() => {
      throw scope.error ?? loss.error;
    });
    try {
      return await attempt();
    } catch (error) {
      const failure = toCallFailure(error, call);
      if (scope.error !== undefined || !mayPass(failure)) throw scope.error ?? failure.error;
      retryAfterMs = failure.error.retryAfterMs;
    }
  }
}

// A policy may have no waits: its own count of attempts bounds what it is for, and this it does not.
const leastMs = 10;
// With less than that left nobody tries again.
const shortestMs = 50;

/** Time until an end on `performance.now()`, milliseconds, at least 1; undefined for no end. */
export function timeLeft(endsAt: number): number | undefined {
  if (endsAt === Number.POSITIVE_INFINITY) return undefined;
  return Math.max(1, Math.ceil(endsAt - performance.now()));
}

/** Whether a failure says nothing about the execution. */
export function mayPass({ error, isLost }: CallFailure): boolean {
  return isLost || passing.has(error.kind);
}

const passing: ReadonlySet<string> = new Set(["unavailable", "overloaded"]);

/** The error of an execution that cannot be come back to. */
export function lostFor(message: string, lost: CodemodeError): CodemodeError {
  const { correlationId, executionId } = lost;
  return new CodemodeError("execution_lost", message, { cause: lost, correlationId, executionId });
}

function tooLate(lost: CodemodeError): CodemodeError {
  const { correlationId, executionId } = lost;
  const message = "the connection was lost, and the deadline leaves no time to come back";
  return new CodemodeTimeoutError(message, { cause: lost, correlationId, executionId });
}
