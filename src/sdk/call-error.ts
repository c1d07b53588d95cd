import { Code, ConnectError } from "@connectrpc/connect";
import {
  isConnectionLost,
  isHandshakeFault,
  isNotHttp2,
  isNotSent,
  notHttp2,
} from "../shared/connection-faults.ts";
import {
  CodemodeConnectionError,
  CodemodeError,
  CodemodeTimeoutError,
  type ErrorOptions,
} from "../shared/errors.ts";
import { fromConnectError, instanceTrailer } from "../shared/status.ts";

/** What the caller knows of a call that failed. */
export interface FailedCall extends Pick<ErrorOptions, "correlationId" | "executionId"> {
  /** "execution" may have had an effect by the time it fails; "read" never has one. */
  readonly effect: "execution" | "read";
}

/** A failed call, and what is known of its request. */
export interface CallFailure {
  readonly error: CodemodeError;
  /** The connection broke, or someone on the way says so: what became of the request is not known. */
  readonly isLost: boolean;
  /** A service was reached and turned the call away. */
  readonly isAnswered: boolean;
}

/** Whatever a call rejected with; its error is `retryable` only where nothing has run. */
export function toCallFailure(error: unknown, { effect, ...known }: FailedCall): CallFailure {
  if (CodemodeError.is(error)) return { error, isLost: false, isAnswered: false };
  const status = ConnectError.from(error);
  const options = { ...known, cause: error };
  const isFresh = known.executionId === undefined;
  if (isFresh && isNotSent(status)) {
    const message = `cannot reach the service: ${status.rawMessage}`;
    return local(new CodemodeConnectionError(message, { ...options, retryable: true }));
  }
  if (isFresh && isHandshakeFault(status)) {
    const message = `cannot reach the service: ${status.rawMessage.trim()}`;
    return local(new CodemodeConnectionError(message, { ...options, retryable: false }));
  }
  if (isNotHttp2(status)) {
    const message = `cannot reach the service: ${notHttp2}`;
    return local(new CodemodeConnectionError(message, { ...options, retryable: false }));
  }
  if (isConnectionLost(status)) {
    const message = `the connection to the service was lost: ${status.rawMessage}`;
    const lost =
      effect === "read"
        ? new CodemodeConnectionError(message, { ...options, retryable: true })
        : new CodemodeError("execution_lost", message, options);
    return { error: lost, isLost: true, isAnswered: false };
  }
  const failure = fromConnectError(status, known);
  if (status.code === Code.DeadlineExceeded && status.details.length === 0) {
    return { error: deadlinePassed(failure), isLost: false, isAnswered: false };
  }
  // A proxy says "unavailable" for a stream that it lost, after the program has started as well.
  const isLost = failure.kind === "unavailable" && (!failure.retryable || !isFresh);
  if (!isLost || isFresh) return { error: failure, isLost, isAnswered: true };
  return {
    error: new CodemodeError("execution_lost", failure.message, options),
    isLost,
    isAnswered: true,
  };
}

/** Whatever a call rejected with, as a CodemodeError; `retryable` only where nothing has run. */
export function toCallError(error: unknown, call: FailedCall): CodemodeError {
  return toCallFailure(error, call).error;
}

/** The server instance that a failure came from; undefined where none says so. */
export function instanceOf(error: unknown): string | undefined {
  return ConnectError.from(error).metadata.get(instanceTrailer) ?? undefined;
}

/** Connect's own words, on whichever side, say only that an operation timed out. */
function deadlinePassed({ cause, correlationId, executionId }: CodemodeError): CodemodeError {
  const what = executionId === undefined ? "the service answered" : "the program ended";
  const options = { cause, correlationId, executionId };
  return new CodemodeTimeoutError(`the caller's deadline passed before ${what}`, options);
}

function local(error: CodemodeError): CallFailure {
  return { error, isLost: false, isAnswered: false };
}
