import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ToolService } from "../../gen/es/codemode/v1/tool_service_pb.ts";
import { CodemodeError } from "../shared/errors.ts";
import { toConnectError } from "../shared/status.ts";
import { defaultPayloadBytes, payloadViolations, refuse } from "./options.ts";
import { runnableTools, ToolRegistry, type Tools } from "./registry.ts";
import { createToolService } from "./tool-service.ts";

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
  const handler = connectNodeAdapter({
    routes: (router) => router.service(ToolService, createToolService({ tools, maxBytes })),
    interceptors: [bearer(apiKey)],
    shutdownSignal: shutdown.signal,
    readMaxBytes,
  });
  const settings = { maxConcurrentStreams: 2_048, initialWindowSize: windowBytes };
  // Calls are given up as often as executions end: Node's own bound on resets takes that for an attack.
  const bounds = { settings, streamResetBurst: 10_000, streamResetRate: 1_000 };
  const server =
    tls === undefined
      ? http2.createServer(bounds, handler)
      : http2.createSecureServer({ ...bounds, ...tls }, handler);
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => {
    session.setLocalWindowSize(windowBytes);
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
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
      closing ??= close(server, sessions, shutdown);
      await closing;
    },
  };
}

/** Aborts what runs, lets the answers out, and closes every connection. */
async function close(
  server: http2.Http2Server,
  sessions: ReadonlySet<http2.ServerHttp2Session>,
  shutdown: AbortController,
): Promise<void> {
  const closed = once(server, "close");
  server.close();
  const error = new CodemodeError("unavailable", "the tool service is closing");
  shutdown.abort(toConnectError(error));
  for (const session of sessions) session.close();
  // A handler that does not heed its signal keeps nobody waiting.
  const timer = setTimeout(() => {
    for (const session of sessions) session.destroy();
  }, closeMs);
  await closed;
  clearTimeout(timer);
}

/** How long handlers that were told to stop may take, milliseconds. */
const closeMs = 2_000;

/** Refuses calls without the key; compares digests, in constant time. */
function bearer(apiKey: string): Interceptor {
  const expected = sha256(apiKey);
  return (next) => (req) => {
    const given = /^bearer +(\S+) *$/i.exec(req.header.get("authorization") ?? "")?.[1] ?? "";
    if (timingSafeEqual(sha256(given), expected)) return next(req);
    const message = "a valid api key is required as a bearer token";
    throw toConnectError(new CodemodeError("unauthenticated", message));
  };
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
