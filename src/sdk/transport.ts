import { AsyncLocalStorage } from "node:async_hooks";
import * as http from "node:http";
import type { ClientHttp2Stream } from "node:http2";
import * as https from "node:https";
import type { SecureContextOptions } from "node:tls";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { ExecutorService } from "../../gen/es/codemode/v1/executor_pb.ts";
import { Http2Sessions } from "../shared/http2-sessions.ts";
import { Peer } from "./peer.ts";

/** Wire protocols that a client can speak. */
export type Protocol = "grpc" | "connect" | "grpc-web";

/** What a connection is made of; checked by `toSettings`. */
export interface ConnectionOptions {
  readonly url: string;
  readonly protocol: Protocol;
  readonly httpVersion: "1.1" | "2";
  readonly tls: Pick<SecureContextOptions, "ca" | "cert" | "key">;
}

/** Calls of a service, with their types. */
export type ExecutorClient = Client<typeof ExecutorService>;

/** The typed way to a service; opened by the first call, shared by all. */
export interface Connection {
  readonly url: string;
  readonly client: ExecutorClient;
  /** Both sides can send at once. */
  readonly isTwoWay: boolean;
  readonly peer: Peer;
  /** Breaks the connection and every call on it. Idempotent. */
  close(): void;
}

// A result, its text and both channels of output are each a few MiB at most.
const readMaxBytes = 64 * 1024 * 1024;
// Output is small or quick to send; compressing each message costs both sides more than it saves.
const acceptCompression: [] = [];
// Our own service takes pings as they come: a connection that is dead costs a call 5 s at the most.
const keepalive = { pingAfterMs: 2_000, pingTimeoutMs: 3_000, pingGapMs: 2_000 };

/** Prepares a connection; nothing is sent before the first call. */
export function createConnection(options: ConnectionOptions): Connection {
  const { transport, close } =
    options.httpVersion === "2" ? overHttp2(options) : overHttp1(options);
  const client = createClient(ExecutorService, transport);
  return {
    url: options.url,
    client,
    isTwoWay: options.httpVersion === "2",
    peer: new Peer(client),
    close,
  };
}

const watcher = new AsyncLocalStorage<() => void>();

/**
 * Runs a function that opens a stream, and calls back when its HTTP/2 stream is closed, read to its end
 * or not. Over HTTP/1.1 nothing is heard.
 */
export function watchStream<T>(onClosed: () => void, open: () => T): T {
  return watcher.run(onClosed, open);
}

class WatchedSessions extends Http2Sessions {
  override async request(
    ...args: Parameters<Http2Sessions["request"]>
  ): Promise<ClientHttp2Stream> {
    const stream = await super.request(...args);
    const onClosed = watcher.getStore();
    if (onClosed !== undefined) stream.once("close", onClosed);
    return stream;
  }
}

interface Wire {
  readonly transport: Transport;
  readonly close: () => void;
}

function overHttp2({ url, protocol, tls }: ConnectionOptions): Wire {
  const sessionManager = new WatchedSessions({ url, tls, keepalive });
  const common = { baseUrl: url, readMaxBytes, acceptCompression, sessionManager };
  const create = {
    grpc: () => createGrpcTransport(common),
    connect: () => createConnectTransport({ ...common, httpVersion: "2" }),
    "grpc-web": () => createGrpcWebTransport({ ...common, httpVersion: "2" }),
  };
  return { transport: create[protocol](), close: () => sessionManager.abort() };
}

function overHttp1({ url, protocol, tls }: ConnectionOptions): Wire {
  const agent = url.startsWith("https:")
    ? new https.Agent({ ...tls, keepAlive: true })
    : new http.Agent({ keepAlive: true });
  const common = {
    baseUrl: url,
    readMaxBytes,
    httpVersion: "1.1" as const,
    nodeOptions: { agent },
  };
  const transport =
    protocol === "connect" ? createConnectTransport(common) : createGrpcWebTransport(common);
  return { transport, close: () => agent.destroy() };
}
