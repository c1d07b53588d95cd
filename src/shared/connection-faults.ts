import { Code, type ConnectError } from "@connectrpc/connect";
import { isOfForeignProtocol } from "./http2-sessions.ts";

/** The request never reached a handler: no connection, or a stream that the peer says it refused. */
export function isNotSent(status: ConnectError): boolean {
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

/** The peer does not speak HTTP/2: it will not tomorrow, unless somebody turns it on. */
export function isNotHttp2(status: ConnectError): boolean {
  return nodeErrors(status).some(isOfForeignProtocol);
}

/** What is said of it. */
export const notHttp2 = "this port speaks HTTP/1.1; is HTTP/2 on?";

/** The peer's certificate, or ours, is not what the other side takes: it will not be tomorrow. */
export function isHandshakeFault(status: ConnectError): boolean {
  return nodeErrors(status).some(({ code }) => /^ERR_(SSL|TLS)_|CERT|_SIGNATURE$/.test(code));
}

/** The connection broke while the call was under way: what became of it is not known. */
export function isConnectionLost(status: ConnectError): boolean {
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
