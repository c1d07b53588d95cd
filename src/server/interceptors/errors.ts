import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "pino";
import { correlationHeader } from "../../shared/status.ts";
import { exchangeKey } from "../exchange.ts";
import { around } from "./around.ts";
import { trailersKey } from "./call.ts";
import { toStatus } from "./status.ts";

const refusals: ReadonlySet<Code> = new Set([Code.Unauthenticated, Code.ResourceExhausted]);

/** Maps whatever a call throws to a gRPC status; causes go to the log and never to the caller. */
export function errorsInterceptor({ logger }: { readonly logger: Logger }): Interceptor {
  return around(({ service, method, contextValues }) => ({
    onError(error) {
      const status = toStatus(error);
      if (refusals.has(status.code)) contextValues.get(exchangeKey).refused();
      const trailers = contextValues.get(trailersKey);
      for (const [name, value] of trailers) status.metadata.set(name, value);
      // Connect's own errors are about what the caller sent: bytes that are no message are not our fault.
      const isOurs = !(error instanceof ConnectError);
      if (isOurs && (status.code === Code.Internal || status.code === Code.Unknown)) {
        logger.error(
          {
            method: `${service.typeName}/${method.name}`,
            correlationId: trailers.get(correlationHeader),
            err: causeOf(status.cause ?? error),
          },
          "a call failed by a fault of the service",
        );
      }
      return status;
    },
  }));
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? (error.cause ?? error) : error;
}
