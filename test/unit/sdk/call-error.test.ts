import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { toCallError } from "../../../src/sdk/call-error.ts";
import {
  CodemodeConnectionError,
  CodemodeError,
  CodemodeTimeoutError,
} from "../../../src/shared/errors.ts";
import { toConnectError } from "../../../src/shared/status.ts";

const call = { effect: "execution", correlationId: "c1" } as const;

function nodeError(code: string, message = code, syscall?: string): ConnectError {
  const cause = Object.assign(new Error(message), { code, ...(syscall && { syscall }) });
  return new ConnectError(message, Code.Internal, undefined, undefined, cause);
}

describe("toCallError", () => {
  it.each([
    nodeError("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1", "connect"),
    nodeError("ENOTFOUND", "getaddrinfo ENOTFOUND nope", "getaddrinfo"),
    nodeError("ETIMEDOUT", "connect ETIMEDOUT", "connect"),
    nodeError("ERR_HTTP2_STREAM_ERROR", "Stream closed with error code NGHTTP2_REFUSED_STREAM"),
    nodeError("ERR_HTTP2_STREAM_CANCEL", "The pending stream has been canceled"),
    nodeError("ERR_HTTP2_GOAWAY_SESSION"),
    new ConnectError("http/2 stream closed with error code REFUSED_STREAM (0x7)", Code.Unavailable),
    new ConnectError(
      "all addresses failed",
      Code.Internal,
      undefined,
      undefined,
      new AggregateError([nodeError("ECONNREFUSED", "no", "connect")]),
    ),
  ])("knows that nothing was sent: $message", (status) => {
    const error = toCallError(status, call);
    expect(error).toBeInstanceOf(CodemodeConnectionError);
    expect(error).toMatchObject({ kind: "unavailable", retryable: true, correlationId: "c1" });
  });

  it.each([
    nodeError("ECONNRESET", "read ECONNRESET", "read"),
    nodeError("ETIMEDOUT", "read ETIMEDOUT", "read"),
    nodeError("ERR_HTTP2_STREAM_ERROR", "Stream closed with error code NGHTTP2_INTERNAL_ERROR"),
    new ConnectError("http/2 stream closed with error code CANCEL (0x8)", Code.Canceled),
    new ConnectError("protocol error: missing status", Code.Internal),
    new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument),
  ])("counts an execution whose fate is unknown as lost: $message", (status) => {
    expect(toCallError(status, call)).toMatchObject({
      kind: "execution_lost",
      retryable: false,
      correlationId: "c1",
    });
    expect(toCallError(status, { ...call, effect: "read" })).toMatchObject({
      kind: "unavailable",
      retryable: true,
    });
  });

  it("does not repeat a handshake that cannot succeed", () => {
    const error = toCallError(nodeError("DEPTH_ZERO_SELF_SIGNED_CERT"), call);
    expect(error).toMatchObject({ kind: "unavailable", retryable: false });
  });

  it("trusts a status of the service itself about whether a retry is safe", () => {
    const sent = toConnectError(new CodemodeError("overloaded", "full", { retryAfterMs: 250 }));
    expect(toCallError(sent, call)).toMatchObject({
      kind: "overloaded",
      retryable: true,
      retryAfterMs: 250,
    });
  });

  it("does not trust a proxy about it, even in the words of a refused stream", () => {
    const words = "upstream: http/2 stream closed with error code REFUSED_STREAM (0x7)";
    const status = new ConnectError(words, Code.Unavailable, { server: "proxy" });
    expect(toCallError(status, call)).toMatchObject({ kind: "unavailable", retryable: false });
  });

  it("calls an execution lost that a proxy calls unavailable after its start", () => {
    const status = new ConnectError("upstream reset", Code.Unavailable, { server: "proxy" });
    expect(toCallError(status, { ...call, executionId: "e1" })).toMatchObject({
      kind: "execution_lost",
      executionId: "e1",
      retryable: false,
    });
  });

  it("gives a deadline its own class", () => {
    const status = new ConnectError("the operation timed out", Code.DeadlineExceeded);
    const error = toCallError(status, call);
    expect(error).toBeInstanceOf(CodemodeTimeoutError);
    expect(error).toMatchObject({
      kind: "deadline_exceeded",
      message: "the caller's deadline passed before the service answered",
      correlationId: "c1",
      retryable: false,
    });
    expect(toCallError(status, { ...call, executionId: "e1" })).toMatchObject({
      message: "the caller's deadline passed before the program ended",
      executionId: "e1",
    });
  });
});
