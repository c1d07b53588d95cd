import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import * as http2 from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import {
  type ConnectRouterOptions,
  createConnectRouter,
  type HandlerContext,
} from "@connectrpc/connect";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { ToolService } from "../../gen/es/codemode/v1/tool_service_pb.ts";
import { startTimer } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import { toConnectError } from "../shared/status.ts";
import { defaultPayloadBytes, payloadViolations, refuse } from "./options.ts";
import { runnableTools, ToolRegistry, type Tools } from "./registry.ts";
import { createToolService, type ToolServiceDeps } from "./tool-service.ts";

/** Where and for whom tools are served. */
export interface ServeToolsOptions {
  /** Port; 0 for any that is free. */
  readonly port: number;
  /** Address to listen on. Default "127.0.0.1". */
  readonly host?: string | undefined;
  /** What the service has to send as a bearer token: its `tool_services.NAME.api_key`. */
  readonly apiKey: string;
  /** Certificate and key, PEM. Default: HTTP/2 without TLS. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** Longest JSON text of a result, bytes, at most 8 MiB. Default 2 MiB. */
  readonly toolPayloadBytes?: number | undefined;
}

/** Tools that are served. Disposing refuses new calls and aborts those that run. */
export interface ToolServer extends AsyncDisposable {
  /** What the service's configuration calls its `target`, such as "127.0.0.1:4000". */
  readonly target: string;
  /** The same as a URL, such as "http://127.0.0.1:4000". */
  readonly url: string;
  readonly port: number;
}

const windowBytes = 1024 * 1024;
// Arguments of 8 MiB and a context of 64 KiB, with room.
const readMaxBytes = 16 * 1024 * 1024;
// From a connection to the end of its TLS handshake, and from there to the peer's settings.
const handshakeMs = 10_000;

/**
 * Hosts `ToolService` for a service whose configuration names it: the road for applications that
 * prefer to be called. A registry is served as it is at each call, other tools as they are now.
 * Rejects with `invalid_request` for options that cannot be right, or as the socket does.
 */
export async function serveTools(
  served: ToolRegistry | Tools,
  options: ServeToolsOptions,
): Promise<ToolServer> {
  const { port, host = "127.0.0.1", apiKey, tls } = options;
  const { toolPayloadBytes: maxBytes = defaultPayloadBytes } = options;
  refuse([
    ...payloadViolations(maxBytes),
    ...(typeof apiKey === "string" && /^[\x21-\x7e]+$/.test(apiKey)
      ? []
      : [{ field: "apiKey", description: "expected visible ASCII characters" }]),
  ]);
  const fixed = served instanceof ToolRegistry ? undefined : runnableTools(served);
  const registry = served instanceof ToolRegistry ? served : undefined;
  const tools = () => fixed ?? registry?.select(undefined) ?? new Map();
  const shutdown = new AbortController();
  const handler = createHandler(
    { tools, maxBytes },
    { requestGate: bearer(apiKey), shutdownSignal: shutdown.signal, readMaxBytes },
  );
  const settings = { maxConcurrentStreams: 2_048, initialWindowSize: windowBytes };
  // Calls are given up as often as executions end: Node's own bound on resets takes that for an attack.
  const bounds = { settings, streamResetBurst: 10_000, streamResetRate: 1_000 };
  const server =
    tls === undefined
      ? http2.createServer(bounds, handler)
      : http2.createSecureServer({ ...bounds, ...tls, handshakeTimeout: handshakeMs }, handler);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => {
    session.setLocalWindowSize(windowBytes);
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    const handshake = startTimer(handshakeMs, () => session.destroy());
    for (const over of ["remoteSettings", "close"]) {
      session.once(over, () => handshake[Symbol.dispose]());
    }
  });
  server.listen(port, host);
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  let closing: Promise<unknown> | undefined;
  const target = `${host.includes(":") ? `[${host}]` : host}:${bound}`;
  return {
    target,
    url: `${tls === undefined ? "http" : "https"}://${target}`,
    port: bound,
    async [Symbol.asyncDispose]() {
      closing ??= close(server, { sockets, sessions }, shutdown);
      await closing;
    },
  };
}

/** Serves the tools over Node's HTTP servers; a peer that is gone is no news to anybody. */
function createHandler(deps: ToolServiceDeps, options: Partial<ConnectRouterOptions>) {
  const acceptCompression = [compressionGzip, compressionBrotli];
  const router = createConnectRouter({ ...options, acceptCompression });
  router.service(ToolService, createToolService(deps));
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => {
    const handler = handlers.get(request.url.split("?", 1)[0] ?? "");
    const answer = async () => {
      if (handler === undefined) {
        response.statusCode = 404;
        response.end();
        return;
      }
      const universal = universalRequestFromNodeRequest(request, response, undefined, undefined);
      await universalResponseToNodeResponse(await handler(universal), response);
    };
    answer().catch(() => {
      // The caller gave the call up, or never spoke properly: the connection's end is all it can learn.
      if (!response.headersSent) response.statusCode = 400;
      response.end();
    });
  };
}

/** What is open: a socket has no session before its TLS handshake is over. */
interface Connections {
  readonly sockets: ReadonlySet<Socket>;
  readonly sessions: ReadonlySet<http2.ServerHttp2Session>;
}

/** Aborts what runs, lets the answers out, and closes every connection. */
async function close(
  server: http2.Http2Server,
  { sockets, sessions }: Connections,
  shutdown: AbortController,
): Promise<void> {
  const closed = once(server, "close");
  server.close();
  const error = new CodemodeError("unavailable", "the tool service is closing");
  shutdown.abort(toConnectError(error));
  const ended = Array.from(
    sessions,
    (session) => new Promise<void>((resolve) => session.once("close", () => resolve())),
  );
  for (const session of sessions) session.close();
  // A handler that does not heed its signal keeps nobody waiting.
  const enough = Promise.withResolvers<void>();
  using _ = startTimer(closeMs, enough.resolve);
  await Promise.race([Promise.all(ended), enough.promise]);
  for (const socket of sockets) socket.destroy();
  await closed;
}

/** How long handlers that were told to stop may take, milliseconds. */
const closeMs = 2_000;

/** Refuses calls without the key before their body is read; compares digests, in constant time. */
function bearer(apiKey: string) {
  const expected = sha256(apiKey);
  return ({ requestHeader }: HandlerContext): void => {
    const given = /^bearer +(\S+) *$/i.exec(requestHeader.get("authorization") ?? "")?.[1] ?? "";
    if (timingSafeEqual(sha256(given), expected)) return;
    const message = "a valid api key is required as a bearer token";
    throw toConnectError(new CodemodeError("unauthenticated", message));
  };
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
