import { constants, type ServerHttp2Stream } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";

// For a client that still reads what it was sent before it closes its own side.
const lingerMs = 5_000;

/**
 * Ends a stream whose response is complete. A caller of a bidirectional method learns from the
 * response that there is nothing left to say, and is given the time to close its side: a reset, even
 * without an error, makes Node's client fail a response that it has not read to the end.
 */
export function finishStream(stream: ServerHttp2Stream, kind: DescMethod["methodKind"]): void {
  if (kind !== "bidi_streaming") {
    discardUnread(stream);
    return;
  }
  const timer = setTimeout(discardUnread, lingerMs, stream);
  stream.once("close", () => clearTimeout(timer));
}

/**
 * Ends a stream whose response is complete, whatever the peer still means to send (RFC 9113, section
 * 8.1): a request that was refused half read would keep it open. Without effect on one read to its end.
 */
export function discardUnread(stream: ServerHttp2Stream): void {
  if (stream.readableEnded || stream.closed) return;
  stream.close(constants.NGHTTP2_NO_ERROR);
  // It is not over before what had arrived is read, and nobody reads it any more.
  stream.removeAllListeners("data").resume();
}
