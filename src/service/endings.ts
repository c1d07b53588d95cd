import { Code, ConnectError } from "@connectrpc/connect";
import { CodemodeError, CodemodeTimeoutError } from "../shared/errors.ts";
import { Stop } from "../shared/stop.ts";

/** The error with which a call ends whose signal aborted: its deadline, or the caller is gone. */
export function callEnded(reason: unknown): CodemodeError {
  if (CodemodeError.is(reason)) return reason;
  if (reason instanceof ConnectError && reason.code === Code.DeadlineExceeded) {
    return new CodemodeTimeoutError("the call's deadline passed", { cause: reason });
  }
  return new CodemodeError("cancelled", "the caller ended the call", { cause: reason });
}

/** Ends a program that nobody reads any more. */
export function callerGone(): Stop {
  return new Stop("cancelled", "the caller is gone");
}

/** The service's own shutdown ends the program. */
export function isShutdown(reason: unknown): boolean {
  return reason instanceof Stop && reason.reason === "abandoned";
}

/** The refusal of a program that had not started when the service shut down. */
export function shuttingDown(cause: unknown): CodemodeError {
  const options = { cause, retryAfterMs: 1_000 };
  return new CodemodeError("unavailable", "the service is shutting down", options);
}

/** The refusal of a program that waited for a slot for too long. */
export function queueTimedOut(queueTimeoutMs: number): CodemodeError {
  const message = `no slot came free in ${queueTimeoutMs} ms`;
  return new CodemodeError("overloaded", message, { retryAfterMs: 1_000 });
}

/** The status of an execution that the service lost after it had started. */
export function executionLost(executionId: string, cause: unknown): CodemodeError {
  const message = "the execution was lost after it had started";
  return new CodemodeError("execution_lost", message, { cause, executionId });
}
