import type { IncomingMessage, ServerResponse } from "node:http";
import { type Http2ServerRequest, Http2ServerResponse } from "node:http2";
import {
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
  createContextValues,
} from "@connectrpc/connect";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "pino";
import { type Exchange, exchangeKey, noExchange } from "./exchange.ts";
import { capTimeouts } from "./timeout-headers.ts";
import { answerTrailersOnly, createGrpcExchange, isGrpc } from "./trailers-only.ts";
import { finishStream } from "./unread.ts";

/** Handles one request of HTTP/1.1 or HTTP/2. */
export type RequestHandler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

/** Options of `createAdapter`. */
export interface AdapterOptions
  extends Pick<ConnectRouterOptions, "interceptors" | "requestGate" | "readMaxBytes"> {
  readonly routes: (router: ConnectRouter) => void;
  /** Longer deadlines are shortened to this, milliseconds. */
  readonly maxDeadlineMs: number;
  readonly logger: Logger;
}

/**
 * Serves a router's gRPC, gRPC-web and Connect over Node's HTTP servers. Unlike `connectNodeAdapter`
 * it answers errors of gRPC calls as Trailers-Only until the program has started.
 */
export function createAdapter(options: AdapterOptions): RequestHandler {
  const { routes, maxDeadlineMs, logger, ...routerOptions } = options;
  const router = createConnectRouter({
    ...routerOptions,
    acceptCompression: [compressionGzip],
    // A misspelled limit must not be a missing one.
    jsonOptions: { ignoreUnknownFields: false },
  });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  return (request, response) => {
    const handler = handlers.get(request.url?.split("?", 1)[0] ?? "");
    const grpc =
      response instanceof Http2ServerResponse && isGrpc(request.headers["content-type"])
        ? response
        : undefined;
    if (handler === undefined) {
      answerUnknown(response, grpc);
      return;
    }
    if (response instanceof Http2ServerResponse) {
      const { stream } = response;
      const { methodKind } = handler.method;
      // Trailers are the last of a response; they go out in this turn of the loop.
      stream.once("wantTrailers", () => setImmediate(finishStream, stream, methodKind));
    }
    const exchange: Exchange = grpc === undefined ? noExchange : createGrpcExchange(grpc);
    const handle = async () => {
      capTimeouts(request.headers, maxDeadlineMs);
      const values = createContextValues().set(exchangeKey, exchange);
      const universal = await handler(
        universalRequestFromNodeRequest(request, response, undefined, values),
      );
      const rest = grpc === undefined ? universal : await answerTrailersOnly(universal, grpc);
      if (rest !== undefined) await universalResponseToNodeResponse(rest, response);
    };
    handle().catch((error: unknown) => {
      // The peer is gone, or never spoke properly; the call has its own log line and status.
      logger.debug({ err: error, path: handler.requestPath }, "a response could not be written");
      if (!response.headersSent) response.statusCode = 400;
      response.end();
    });
  };
}

function answerUnknown(
  response: ServerResponse | Http2ServerResponse,
  grpc: Http2ServerResponse | undefined,
): void {
  if (grpc === undefined) {
    response.statusCode = 404;
    response.end();
    return;
  }
  const unimplemented = {
    "content-type": "application/grpc",
    "grpc-status": "12",
    "grpc-message": "unknown method",
  };
  grpc.stream.respond({ ":status": 200, ...unimplemented }, { endStream: true });
}
