import { constants, type ServerHttp2Stream } from "node:http2";

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
