import { constants, type SecureServerOptions, type ServerHttp2Session } from "node:http2";

const windowBytes = 1024 * 1024;

/**
 * Bounds of one HTTP/2 session. Node's own are no bounds (4294967295 streams) or too tight for an
 * ordinary client (about 1,000 cancels end the connection; a 64 KiB window stalls a busy one).
 */
export const http2Options: SecureServerOptions = {
  settings: {
    maxConcurrentStreams: 2_048,
    initialWindowSize: windowBytes,
    maxHeaderListSize: 32 * 1024,
    enablePush: false,
  },
  maxHeaderListPairs: 64,
  maxSessionMemory: 64,
  maxSettings: 32,
  streamResetBurst: 10_000,
  streamResetRate: 1_000,
};

/** Times of a connection, milliseconds. */
export interface ConnectionTimes {
  /** From the connection to its first bytes, and from there to the peer's settings. */
  readonly handshakeMs: number;
  /** A session without a call for so long is closed. */
  readonly idleMs: number;
}

/** Bounds what Node's options do not: the connection's window, a half-open handshake, idle sessions. */
export function boundSession(session: ServerHttp2Session, times: ConnectionTimes): void {
  session.setLocalWindowSize(windowBytes);
  const handshake = setTimeout(
    () => session.destroy(undefined, constants.NGHTTP2_SETTINGS_TIMEOUT),
    times.handshakeMs,
  );
  session.once("remoteSettings", () => clearTimeout(handshake));
  session.once("close", () => clearTimeout(handshake));
  let open = 0;
  session.on("stream", (stream) => {
    open += 1;
    stream.once("close", () => {
      open -= 1;
    });
  });
  session.setTimeout(times.idleMs, () => {
    if (open === 0) session.close();
  });
}
