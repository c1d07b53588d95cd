import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { RequestHandler } from "./adapter.ts";
import type { Connections } from "./connections.ts";
import { createDoor } from "./door.ts";
import { boundSession, type ConnectionTimes, http2Options } from "./http2-settings.ts";
import { classify, classifyCall, peek } from "./peek.ts";

// For a client of a draining server to make its call: one that does is not waiting for anything.
const drainingMs = 2_000;

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
  /** Takes note of every connection. */
  readonly connections: Connections;
  /** Open at once; further ones are closed as they come. */
  readonly maxConnections: number;
  /** How long calls that still run may take to end once `close` is called, milliseconds. */
  readonly closeMs: number;
}

/** An open port. */
export interface Listener {
  readonly address: AddressInfo;
  /** Calls of HTTP/2 that are open. */
  streams(): number;
  /** Refuses connections, says goodbye to those open, and ends what is left after `closeMs`. */
  close(): Promise<void>;
}

/** What the two ways to listen have in common. */
interface Ground extends ListenOptions {
  /** Sockets that no server has yet. */
  readonly silent: Set<Socket>;
  readonly onSession: (session: http2.ServerHttp2Session) => void;
}

/** A server that listens, and what serves its connections. */
interface Serving {
  readonly server: NetServer;
  readonly serve: (socket: Socket) => void;
}

/** Serves HTTP/2 and HTTP/1.1 on one port, in the clear or with TLS. Rejects as `net.Server` does. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { connections } = options;
  const silent = new Set<Socket>();
  const sessions = new Set<http2.ServerHttp2Session>();
  let streams = 0;
  const onSession = (session: http2.ServerHttp2Session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("stream", (stream) => {
      streams += 1;
      stream.once("close", () => {
        streams -= 1;
      });
    });
    boundSession(session, options);
  };
  const ground: Ground = { ...options, silent, onSession };
  const { server, serve } =
    options.tls === undefined ? inTheClear(ground) : secure(ground, options.tls);
  server.maxConnections = options.maxConnections;
  const enter = createDoor(connections);
  server.on("connection", (socket: Socket) => {
    keepSilent(socket, ground);
    // A peer that vanished without a word is noticed.
    socket.setKeepAlive(true, 60_000);
    enter(socket, () => serve(socket));
  });
  server.listen(options.port, options.host);
  await once(server, "listening");

  return {
    address: server.address() as AddressInfo,
    streams: () => streams,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of silent) socket.destroy();
      for (const session of sessions) session.close();
      const timer = setTimeout(() => connections.destroy(), options.closeMs);
      await closed;
      clearTimeout(timer);
      // The server counts a socket as closed before the socket says so.
      await connections.closed();
    },
  };
}

/** h2c and HTTP/1.1, told apart by the first bytes. */
function inTheClear(ground: Ground): Serving {
  const { handler, handshakeMs, onSession } = ground;
  const h2 = http2.createServer(http2Options, handler);
  h2.on("session", onSession);
  const h1 = http.createServer({ headersTimeout: handshakeMs }, handler);
  h1.on("clientError", answerClientError);
  // The HTTP/1.1 server owns the port, since its own timeouts only work where it listens.
  const serveHttp1 = takeOver(h1, "connection");
  const serve = (socket: Socket) =>
    peek(socket, {
      timeoutMs: handshakeMs,
      classify,
      onKnown(wire) {
        if (wire === "http2") {
          // HTTP/1.1 wants sockets half open; under HTTP/2 the end of one would go unnoticed.
          socket.allowHalfOpen = false;
          serveHttp2(socket, ground, () => h2.emit("connection", socket));
        } else if (wire === "http1") {
          ground.silent.delete(socket);
          serveHttp1(socket);
        } else socket.destroy();
      },
    });
  return { server: h1, serve };
}

/** Says in words what Node only says in a status: headers that are too large. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const isTooLarge = error.code === "HPE_HEADER_OVERFLOW";
  const status = isTooLarge ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const text = isTooLarge
    ? `the request's headers are larger than ${http.maxHeaderSize} bytes\n`
    : "the request is not proper HTTP/1.1\n";
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n`;
  socket.end(`${head}Content-Length: ${text.length}\r\n\r\n${text}`);
}

/** HTTP/2 and HTTP/1.1 over TLS, told apart by ALPN. */
function secure(ground: Ground, { cert, key }: TlsIdentity): Serving {
  const { handler, handshakeMs, onSession, silent } = ground;
  const server = http2.createSecureServer(
    { ...http2Options, cert, key, allowHTTP1: true, handshakeTimeout: handshakeMs },
    handler,
  );
  server.on("session", onSession);
  const shakeHands = takeOver(server, "connection");
  const serveSecure = takeOver(server, "secureConnection");
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol !== "h2") serveSecure(socket);
    else {
      keepSilent(socket, ground);
      serveHttp2(socket, ground, () => serveSecure(socket));
    }
  });
  const serve = (socket: Socket) => {
    silent.delete(socket);
    shakeHands(socket);
  };
  return { server, serve };
}

/** Takes from a server what it does about a connection, to be done later. */
function takeOver(server: NetServer, event: "connection" | "secureConnection") {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  return (socket: Socket) => {
    for (const listener of listeners) listener.call(server, socket);
  };
}

function keepSilent(socket: Socket, { silent }: Ground): void {
  silent.add(socket);
  socket.once("close", () => silent.delete(socket));
}

/** Hands a socket to HTTP/2; while the server drains not before its client makes a call. */
function serveHttp2(
  socket: Socket,
  { silent, connections, handshakeMs }: Ground,
  serve: () => void,
): void {
  const begin = () => {
    silent.delete(socket);
    serve();
  };
  if (!connections.isDraining) {
    begin();
    return;
  }
  peek(socket, {
    timeoutMs: Math.min(handshakeMs, drainingMs),
    classify: classifyCall,
    onKnown(what) {
      if (what === "call") begin();
      else socket.destroy();
    },
  });
}
