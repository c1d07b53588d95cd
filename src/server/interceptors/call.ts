import { randomUUID } from "node:crypto";
import { createContextKey, type Interceptor } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { Logger } from "pino";
import { type Call, callKey } from "../../service/call.ts";
import { correlationHeader, executionIdTrailer } from "../../shared/status.ts";
import { exchangeKey } from "../exchange.ts";
import { around } from "./around.ts";
import { toStatus } from "./status.ts";

/** Key of the trailers that every call gets, whether it goes well or not. */
export const trailersKey = createContextKey(new Headers(), { description: "codemode.trailers" });

/** Makes the `Call`, and writes one log line when it is over: never code, context or output. */
export function callInterceptor({ logger }: { readonly logger: Logger }): Interceptor {
  return around((req) => {
    const startedAt = performance.now();
    const trailers = new Headers();
    const call = createCall(req.header, trailers, req.contextValues.get(exchangeKey).commit);
    req.contextValues.set(callKey, call).set(trailersKey, trailers);
    let code = "canceled";
    return {
      onSuccess(trailer) {
        code = "ok";
        for (const [name, value] of trailers) trailer.set(name, value);
      },
      onError(error) {
        code = codeToString(toStatus(error).code);
        return error;
      },
      close() {
        logger.info(
          {
            method: `${req.service.typeName}/${req.method.name}`,
            tenant: req.contextValues.get(callKey)?.tenant || undefined,
            code,
            ms: Math.round((performance.now() - startedAt) * 10) / 10,
            correlationId: trailers.get(correlationHeader),
            executionId: trailers.get(executionIdTrailer) ?? undefined,
          },
          "call",
        );
      },
    };
  });
}

function createCall(header: Headers, trailers: Headers, commit: Call["commit"]): Call {
  const asked = header.get(correlationHeader);
  const correlationId = asked !== null && isCorrelationId(asked) ? asked : randomUUID();
  trailers.set(correlationHeader, correlationId);
  return {
    tenant: "",
    correlationId,
    traceparent: traceparentOf(header),
    commit,
    setTrailer: (name, value) => trailers.set(name, value),
  };
}

function isCorrelationId(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,128}$/.test(text);
}

// https://www.w3.org/TR/trace-context/#traceparent-header; later versions may add fields at the end.
const traceparent =
  /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-[\x21-\x7e]{1,64})?$/;

function traceparentOf(header: Headers): string | undefined {
  const sent = header.get("traceparent") ?? "";
  return traceparent.test(sent) ? sent : undefined;
}
