import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { availableParallelism } from "node:os";
import {
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
  createContextValues,
} from "@connectrpc/connect";
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "pino";
import type { Admission } from "./admission.ts";
import { Budgets } from "./budgets.ts";
import type { Connections } from "./connections.ts";
import { Entrance } from "./entrance.ts";
import { type CallExchange, exchangeKey, noExchange } from "./exchange.ts";
import { createGzip, type Unfolding } from "./gzip.ts";
import { paceOf } from "./pace.ts";
import { answerRefused, createUnknown } from "./refused.ts";
import { capTimeouts } from "./timeout-headers.ts";
import { createTraffic, type TrafficTimes } from "./traffic.ts";
import { answerTrailersOnly, createGrpcExchange, isGrpc, isUnavailable } from "./trailers-only.ts";
import type { Transit } from "./transit.ts";
import { finishStream } from "./unread.ts";

// Each takes a core while it is unfolded: one is left for everything else.
const largeAtOnce = Math.max(1, availableParallelism() - 1);

// However many strangers there are, and connections of theirs, their messages are one tenant's.
const nobodys: Unfolding = { group: "", isOver: () => false };

// What a call costs that is refused: less in Node and Connect, with its part of the collector's work this
// much, measured.
const refusedMs = 1;
// Of each owner at once.
const refusalsMs = 25;

/** Handles one request of HTTP/1.1 or HTTP/2. */
export type RequestHandler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/** Options of `createAdapter`. */
export interface AdapterOptions
  extends Pick<ConnectRouterOptions, "interceptors" | "requestGate" | "readMaxBytes"> {
  readonly routes: (router: ConnectRouter) => void;
  readonly times: TrafficTimes;
  readonly connections: Connections;
  readonly transit: Transit;
  readonly logger: Logger;
  /** Asked before anything of a request is read. */
  readonly admission: Admission;
  /** What the service is, for callers of what it does not have. */
  readonly services: readonly string[];
}

/**
 * Serves a router's gRPC, gRPC-web and Connect over Node's HTTP servers. Unlike `connectNodeAdapter`
 * it answers errors of gRPC calls as Trailers-Only until the program has started.
 */
export function createAdapter(options: AdapterOptions): RequestHandler {
  const { routes, times, connections, transit, logger, admission, services, ...routerOptions } =
    options;
  const traffic = { times, transit, maxBytes: options.readMaxBytes ?? 0 };
  const calls = new AsyncLocalStorage<Unfolding>();
  const gzip = createGzip({
    current: () => calls.getStore() ?? nobodys,
    largeAtOnce,
    waitingBytes: transit.totalBytes,
  });
  const router = createConnectRouter({
    ...routerOptions,
    acceptCompression: [gzip],
    // A misspelled limit must not be a missing one.
    jsonOptions: { ignoreUnknownFields: false },
  });
  routes(router);
  const refusals = new Budgets({ burstMs: refusalsMs });
  // Whose calls they are may be known only since they came.
  const mayBegin = (group: string) => refusals.restMs(connections.ownerOf(group)) === 0;
  const entrance = new Entrance({ mayBegin });
  const unknown = createUnknown({ services, logger });
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  const begin: RequestHandler = (request, response) => {
    const handler = handlers.get(request.url?.split("?", 1)[0] ?? "");
    const grpc =
      response instanceof Http2ServerResponse && isGrpc(request.headers["content-type"])
        ? response
        : undefined;
    if (handler === undefined) {
      unknown.answer(request, response, grpc);
      return;
    }
    if (response instanceof Http2ServerResponse) {
      const { stream } = response;
      const { methodKind } = handler.method;
      // Trailers are the last of a response; they go out in this turn of the loop.
      stream.once("wantTrailers", () => setImmediate(finishStream, stream, methodKind));
    }
    const { claim, receive, send } = createTraffic(request, response, handler.method, {
      ...traffic,
      pace: paceOf(response),
    });
    const call = { ...nobodys, isOver: () => isGone(response) };
    const exchange: CallExchange = {
      ...(grpc === undefined ? noExchange : createGrpcExchange(grpc)),
      admit(tenant) {
        connections.claim(request.socket, tenant);
        claim(tenant);
        call.group = tenant;
      },
      refused: () => refusals.spend(connections.groupOf(request.socket), refusedMs),
    };
    const handle = async () => {
      capTimeouts(request.headers, times.maxDeadlineMs);
      const values = createContextValues().set(exchangeKey, exchange);
      const universal = await handler(
        receive(universalRequestFromNodeRequest(request, response, undefined, values)),
      );
      const rest = grpc === undefined ? universal : await answerTrailersOnly(universal, grpc);
      if (rest !== undefined) await universalResponseToNodeResponse(send(rest), response);
      // Whoever still brings programs to a server that drains is to look for another.
      else if (connections.isDraining && isUnavailable(universal)) grpc?.stream.session?.close();
    };
    calls.run(call, handle).catch((error: unknown) => {
      // The peer is gone, or never spoke properly; the call has its own log line and status.
      logger.debug({ err: error, path: handler.requestPath }, "a response could not be written");
      if (!response.headersSent) response.statusCode = 400;
      response.end();
    });
  };
  return (request, response) => {
    // Nobody else listens before the call has begun.
    request.on("error", () => {});
    const refusal = admission(request);
    if (refusal !== undefined) {
      answerRefused(response, refusal);
      return;
    }
    entrance.enter({
      group: connections.groupOf(request.socket),
      pace: paceOf(response),
      isOver: () => isGone(response),
      begin: () => begin(request, response),
    });
  };
}

function isGone(response: ServerResponse | Http2ServerResponse): boolean {
  if (!(response instanceof Http2ServerResponse)) return response.destroyed;
  return response.stream.destroyed || response.stream.closed;
}
