import { ConnectError } from "@connectrpc/connect";
import { isConnectionLost, isHandshakeFault, isNotSent } from "../shared/connection-faults.ts";
import { CodemodeConnectionError, CodemodeError, type ErrorOptions } from "../shared/errors.ts";
import { fromConnectError } from "../shared/status.ts";

/** What the caller knows of a call that failed. */
export interface FailedCall extends Pick<ErrorOptions, "correlationId" | "executionId"> {
  /** "execution" may have had an effect by the time it fails; "read" never has one. */
  readonly effect: "execution" | "read";
}

/** Whatever a call rejected with, as a CodemodeError; `retryable` only where nothing has run. */
export function toCallError(error: unknown, { effect, ...known }: FailedCall): CodemodeError {
  if (CodemodeError.is(error)) return error;
  const status = ConnectError.from(error);
  const options = { ...known, cause: error };
  const isFresh = known.executionId === undefined;
  if (isFresh && isNotSent(status)) {
    const message = `cannot reach the service: ${status.rawMessage}`;
    return new CodemodeConnectionError(message, { ...options, retryable: true });
  }
  if (isFresh && isHandshakeFault(status)) {
    const message = `cannot reach the service: ${status.rawMessage.trim()}`;
    return new CodemodeConnectionError(message, { ...options, retryable: false });
  }
  if (isConnectionLost(status)) {
    const message = `the connection to the service was lost: ${status.rawMessage}`;
    if (effect === "read") {
      return new CodemodeConnectionError(message, { ...options, retryable: true });
    }
    return new CodemodeError("execution_lost", message, options);
  }
  const failure = fromConnectError(status, known);
  // A proxy says "unavailable" for a stream that it lost, after the program has started as well.
  if (failure.kind === "unavailable" && !isFresh) {
    return new CodemodeError("execution_lost", failure.message, options);
  }
  return failure;
}
