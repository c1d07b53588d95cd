import { Code, ConnectError } from "@connectrpc/connect";
import { CodemodeError, CodemodeTimeoutError } from "../shared/errors.ts";
import { overloaded } from "../shared/overloaded.ts";
import { failed, Stop } from "../shared/stop.ts";

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

/** Ends a program to which no reader came back in time. */
export function readersGone(keepMs: number): Stop {
  return new Stop("abandoned", `no reader came back within ${keepMs} ms`);
}

/** Ends an execution that has not started when nobody has time left to wait for it. */
export function deadlinesPassed(): Stop {
  return new Stop("cancelled", "the caller's deadline passed before the program started");
}

/** Ends a program because the service shuts down. */
export const shutdown = new Stop("abandoned", "the service is shutting down");

/** What is told of a program whose end nobody knows. */
export const lost = failed("crashed", "the service lost the execution");

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

/** The refusal of an id that is unknown, or another tenant's: the two are not told apart. */
export function noSuchExecution(): CodemodeError {
  return new CodemodeError("not_found", "no such execution");
}

/** The refusal of a program when as many executions run as can be known. */
export function tooManyLogs(max: number): CodemodeError {
  const quota = `${max} executions known at once`;
  return overloaded({ message: "too many executions are known", quota });
}
