import type { Http2ServerResponse } from "node:http2";
import { setImmediate } from "node:timers/promises";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { Exchange } from "./exchange.ts";
import { discardUnread } from "./unread.ts";

/** Whether a content type is gRPC's own; gRPC-web and Connect put their status into the body. */
export function isGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(?:$|[+; ])/i.test(contentType ?? "");
}

/** Whether an answer says that another server may do what this one cannot. */
export function isUnavailable({ trailer }: UniversalServerResponse): boolean {
  return trailer?.get("grpc-status") === "14";
}

/**
 * Exchange of a gRPC call. Clients' retry policies run a call again when its status comes without
 * response headers before it (gRFC A6); so headers are what says "the program has started".
 */
export function createGrpcExchange(response: Http2ServerResponse): Exchange {
  let headers = new Headers();
  return {
    setHeaders(known) {
      headers = known;
    },
    async commit() {
      if (response.headersSent || response.stream.destroyed || response.stream.closed) return;
      response.writeHead(200, Object.fromEntries(headers));
      // Connect writes the head when the first message is there, without asking whether it went out.
      response.writeHead = () => response;
      // HTTP/2 hands it to the system before the next turn of the loop: from then on the head comes to
      // the client even if this process is killed.
      await setImmediate();
    },
  };
}

/**
 * Sends a response that is an error before anything else was sent as one HEADERS frame that ends the
 * stream; gives back any other response for the usual way, with what was read of it in place.
 */
export async function answerTrailersOnly(
  universal: UniversalServerResponse,
  response: Http2ServerResponse,
): Promise<UniversalServerResponse | undefined> {
  const body = universal.body?.[Symbol.asyncIterator]();
  const first = await body?.next();
  const status = universal.trailer?.get("grpc-status");
  const isError = first?.done === true && typeof status === "string" && status !== "0";
  if (!isError || response.headersSent) {
    if (body === undefined || first === undefined) return universal;
    return { ...universal, body: replay(first, body) };
  }
  if (response.stream.destroyed || response.stream.closed) return undefined;
  const head = new Headers(universal.header);
  // It names the encoding of messages, and there are none.
  head.delete("grpc-encoding");
  for (const [name, value] of universal.trailer ?? []) head.set(name, value);
  response.stream.respond(
    { ":status": universal.status, ...Object.fromEntries(head) },
    { endStream: true },
  );
  discardUnread(response.stream);
  return undefined;
}

function replay<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncIterable<T> {
  let next: IteratorResult<T> | undefined = first;
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        if (next === undefined) return rest.next();
        const result = next;
        next = undefined;
        return Promise.resolve(result);
      },
      return: async (value: unknown) => (await rest.return?.(value)) ?? { done: true, value },
      throw: (error: unknown) => rest.throw?.(error) ?? Promise.reject(error),
    }),
  };
}
