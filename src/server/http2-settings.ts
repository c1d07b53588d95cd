import { constants, type SecureServerOptions, type ServerHttp2Session } from "node:http2";
import { TokenBucket } from "../shared/token-bucket.ts";

// What a client may do at once, and then each second, that costs it less than the service: resets,
// pings, changes of settings. One that measures its bandwidth pings a few hundred times a second; no
// connection is read fast enough for many more resets of calls that were not begun (`Entrance`).
const burst = 10_000;
const perSecond = 1_000;
const resetsPerSecond = 250;
const consentMs = 60_000;
const windowBytes = 1024 * 1024;

/**
 * Bounds of one HTTP/2 session. Node's own are no bounds (4294967295 streams) or too tight for an
 * ordinary client (about 1,000 cancels end the connection; a 64 KiB window stalls a busy one).
 */
export const http2Options: SecureServerOptions = {
  settings: {
    maxConcurrentStreams: 2_048,
    initialWindowSize: windowBytes,
    maxHeaderListSize: 64 * 1024,
    enablePush: false,
  },
  // More than are taken (admission.ts), so that whoever sends a few too many is told; Node only resets.
  maxHeaderListPairs: 256,
  maxSessionMemory: 64,
  maxSettings: 32,
  streamResetBurst: burst,
  streamResetRate: resetsPerSecond,
};

/** Times of a connection, milliseconds. */
export interface ConnectionTimes {
  /** From the connection to its first bytes, and from there to the peer's settings. */
  readonly handshakeMs: number;
  /** A session without a call for so long is closed. */
  readonly idleMs: number;
}

/**
 * Bounds what Node's options do not: the connection's window, a half-open handshake, idle sessions,
 * and floods of pings and settings.
 */
export function boundSession(session: ServerHttp2Session, times: ConnectionTimes): void {
  session.setLocalWindowSize(windowBytes);
  const handshake = setTimeout(
    () => session.destroy(undefined, constants.NGHTTP2_SETTINGS_TIMEOUT),
    times.handshakeMs,
  );
  session.once("remoteSettings", () => clearTimeout(handshake));
  // Before it consents to ours some of the bounds above do not hold. Its consent may have to wait
  // behind what it is sending.
  const consent = setTimeout(
    () => session.destroy(undefined, constants.NGHTTP2_SETTINGS_TIMEOUT),
    consentMs,
  );
  session.once("localSettings", () => clearTimeout(consent));
  session.once("close", () => clearTimeout(consent));
  session.once("close", () => clearTimeout(handshake));
  const allowance = new TokenBucket({ burst, perMs: perSecond / 1_000 });
  const spend = () => {
    if (allowance.take(1) > 0) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
  session.on("ping", spend);
  session.on("remoteSettings", spend);
  let open = 0;
  session.on("stream", (stream) => {
    open += 1;
    stream.once("close", () => {
      open -= 1;
    });
  });
  session.setTimeout(times.idleMs, () => {
    if (open > 0) return;
    session.close();
    // One that does not even take the goodbye.
    const timer = setTimeout(() => session.destroy(), times.handshakeMs);
    session.once("close", () => clearTimeout(timer));
  });
}
