import http2 from "node:http2";
import type { Socket } from "node:net";

const { NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR, NGHTTP2_INTERNAL_ERROR } = http2.constants;
const { NGHTTP2_ENHANCE_YOUR_CALM } = http2.constants;

/** The server's side of a connection. */
export interface ServedConnection {
  readonly session: http2.ServerHttp2Session;
  /** Under TLS too: the one that TCP has. */
  readonly socket: Socket;
}

type Fault = (connection: ServedConnection) => void;

/** What can become of a connection without a call on it. */
export const idleFaults: readonly (readonly [string, Fault])[] = [
  ["GOAWAY", ({ session }) => session.goaway(NGHTTP2_NO_ERROR)],
  ["GOAWAY with an error", ({ session }) => session.goaway(NGHTTP2_PROTOCOL_ERROR)],
  [
    "too many pings",
    ({ session }) =>
      session.goaway(NGHTTP2_ENHANCE_YOUR_CALM, 0, new TextEncoder().encode("too_many_pings")),
  ],
  [
    "GOAWAY with an error, and the end of its socket",
    ({ session }) => session.destroy(undefined, NGHTTP2_INTERNAL_ERROR),
  ],
  [
    "GOAWAY with an error, and a reset",
    ({ session, socket }) => {
      session.goaway(NGHTTP2_INTERNAL_ERROR);
      // The frame goes out at the end of this turn of the loop.
      setImmediate(() => socket.resetAndDestroy());
    },
  ],
  ["a reset", ({ socket }) => socket.resetAndDestroy()],
];

/** The connections of a server, the oldest first. Nothing that befalls them is a fault of the server. */
export function connectionsOf(
  server: http2.Http2Server | http2.Http2SecureServer,
): readonly ServedConnection[] {
  const sockets: Socket[] = [];
  const connections: ServedConnection[] = [];
  // The session comes within a listener of the server's own.
  server.prependListener("connection", (socket: Socket) => {
    sockets.push(socket.on("error", () => {}));
  });
  server.on("session", (session) => {
    const socket = sockets.find(({ remotePort }) => remotePort === session.socket.remotePort);
    if (socket !== undefined) connections.push({ session, socket });
  });
  server.on("sessionError", () => {});
  return connections;
}

/** Does this to the newest of the connections, unless it has ended. */
export function strike(connections: readonly ServedConnection[], fault: Fault): void {
  const newest = connections.at(-1);
  if (newest !== undefined && !newest.session.destroyed) fault(newest);
}
