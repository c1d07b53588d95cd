import type { IncomingMessage, ServerResponse } from "node:http";
import { type Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Logger } from "pino";
import type { Refusal } from "./admission.ts";

const logEveryMs = 1_000;
const maxShownLength = 128;

/** Answers a request of which nothing but its head is read. */
export function answerRefused(
  response: ServerResponse | Http2ServerResponse,
  { status, message }: Refusal,
): void {
  response.statusCode = status;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  // The rest of the request may be endless.
  if (!(response instanceof Http2ServerResponse)) response.setHeader("connection", "close");
  response.end(`${message}\n`);
}

/** Options of `createUnknown`. */
export interface UnknownOptions {
  /** Full names of the services that there are. */
  readonly services: readonly string[];
  readonly logger: Logger;
}

/** Answers calls of methods that there are none of, and logs them, once a second at the most. */
export function createUnknown({ services, logger }: UnknownOptions) {
  let count = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;

  function note(path: string): void {
    count += 1;
    const now = performance.now();
    if (now - loggedAt < logEveryMs) return;
    logger.info({ path, count }, "unknown methods were called");
    loggedAt = now;
    count = 0;
  }

  return {
    answer(
      request: IncomingMessage | Http2ServerRequest,
      response: ServerResponse | Http2ServerResponse,
      grpc: Http2ServerResponse | undefined,
    ): void {
      const path = JSON.stringify((request.url ?? "").slice(0, maxShownLength));
      note(path);
      const message = `unknown method ${path}: this is Codemode, which serves ${services.join(", ")}`;
      if (grpc === undefined) {
        answerRefused(response, { status: 404, message });
        return;
      }
      const unimplemented = {
        "content-type": "application/grpc",
        "grpc-status": "12",
        "grpc-message": encodeURI(message),
      };
      grpc.stream.respond({ ":status": 200, ...unimplemented }, { endStream: true });
    },
  };
}
