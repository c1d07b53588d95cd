import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import type { RequestHandler } from "./adapter.ts";
import { boundSession, type ConnectionTimes, http2Options } from "./http2-settings.ts";
import { peek } from "./peek.ts";

/** A certificate and its key, PEM. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Options of `listen`. */
export interface ListenOptions extends ConnectionTimes {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly tls: TlsIdentity | undefined;
  readonly handler: RequestHandler;
  /** How long calls that still run may take to end once `close` is called, milliseconds. */
  readonly closeMs: number;
}

/** An open port. */
export interface Listener {
  readonly address: AddressInfo;
  /** Connections that are open. */
  connections(): number;
  /** Refuses connections, says goodbye to those open, and ends what is left after `closeMs`. */
  close(): Promise<void>;
}

/** Serves HTTP/2 and HTTP/1.1 on one port, in the clear or with TLS. Rejects as `net.Server` does. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const sockets = new Set<Socket>();
  const silent = new Set<Socket>();
  const sessions = new Set<http2.ServerHttp2Session>();
  const onSession = (session: http2.ServerHttp2Session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    boundSession(session, options);
  };
  const server =
    options.tls === undefined
      ? inTheClear(options, silent, onSession)
      : secure(options, options.tls, onSession);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // A peer that vanished without a word is noticed.
    socket.setKeepAlive(true, 60_000);
  });
  server.listen(options.port, options.host);
  await once(server, "listening");

  return {
    address: server.address() as AddressInfo,
    connections: () => sockets.size,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of silent) socket.destroy();
      for (const session of sessions) session.close();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, options.closeMs);
      await closed;
      clearTimeout(timer);
      // The server counts a socket as closed before the socket says so.
      await Promise.all(Array.from(sockets, closing));
    },
  };
}

type OnSession = (session: http2.ServerHttp2Session) => void;

/** h2c and HTTP/1.1, told apart by the first bytes; `silent` holds sockets that sent none yet. */
function inTheClear(
  { handler, handshakeMs }: ListenOptions,
  silent: Set<Socket>,
  onSession: OnSession,
): NetServer {
  const h2 = http2.createServer(http2Options, handler);
  h2.on("session", onSession);
  const h1 = http.createServer({ headersTimeout: handshakeMs }, handler);
  // The HTTP/1.1 server owns the port, since its own timeouts only work where it listens.
  const serveHttp1 = h1.listeners("connection");
  h1.removeAllListeners("connection");
  h1.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
    peek(socket, {
      timeoutMs: handshakeMs,
      onWire(wire) {
        silent.delete(socket);
        if (wire === "http2") {
          // HTTP/1.1 wants sockets half open; under HTTP/2 the end of one would go unnoticed.
          socket.allowHalfOpen = false;
          h2.emit("connection", socket);
        } else if (wire === "http1") for (const serve of serveHttp1) serve.call(h1, socket);
        else socket.destroy();
      },
    });
  });
  return h1;
}

/** HTTP/2 and HTTP/1.1 over TLS, told apart by ALPN. */
function secure(
  { handler, handshakeMs }: ListenOptions,
  { cert, key }: TlsIdentity,
  onSession: OnSession,
): NetServer {
  const server = http2.createSecureServer(
    { ...http2Options, cert, key, allowHTTP1: true, handshakeTimeout: handshakeMs },
    handler,
  );
  server.on("session", onSession);
  return server;
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}
