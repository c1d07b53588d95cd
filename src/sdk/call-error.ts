import { Code, ConnectError } from "@connectrpc/connect";
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

/** The request never reached a handler: no connection, or a stream that the peer says it refused. */
function isNotSent(status: ConnectError): boolean {
  if (!isLocal(status)) return false;
  if (status.code === Code.Unavailable && status.rawMessage.includes("REFUSED_STREAM")) return true;
  return nodeErrors(status).some(
    ({ code, syscall, message }) =>
      syscall === "connect" ||
      syscall === "getaddrinfo" ||
      code === "ECONNREFUSED" ||
      // Requests that node held back and never wrote.
      code === "ERR_HTTP2_STREAM_CANCEL" ||
      code === "ERR_HTTP2_GOAWAY_SESSION" ||
      (code === "ERR_HTTP2_STREAM_ERROR" && message.endsWith("NGHTTP2_REFUSED_STREAM")),
  );
}

function isHandshakeFault(status: ConnectError): boolean {
  return nodeErrors(status).some(({ code }) => /^ERR_(SSL|TLS)_|CERT|_SIGNATURE$/.test(code));
}

function isConnectionLost(status: ConnectError): boolean {
  if (!isLocal(status)) return false;
  if (nodeErrors(status).length > 0) return true;
  return /^(http\/2 stream closed|protocol error: (missing|incomplete|promised)|PING timed out|connection aborted|sentinel completed)/.test(
    status.rawMessage,
  );
}

/** The error was made on this side: one that a peer sent has its headers or trailers. */
function isLocal(status: ConnectError): boolean {
  return [...status.metadata].length === 0 && status.details.length === 0;
}

interface NodeError extends Error {
  readonly code: string;
  readonly syscall?: string;
}

/** Node's own errors in a chain of causes, those inside an AggregateError included. */
function nodeErrors(error: unknown, depth = 0): NodeError[] {
  if (!(error instanceof Error) || depth > 8) return [];
  const inner = error instanceof AggregateError ? error.errors : [];
  return [
    ...("code" in error && typeof error.code === "string" ? [error as NodeError] : []),
    ...[error.cause, ...inner].flatMap((cause) => nodeErrors(cause, depth + 1)),
  ];
}
