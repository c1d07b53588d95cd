import type { HandlerContext, Interceptor } from "@connectrpc/connect";
import { exchangeKey } from "./exchange.ts";
import { type Authenticate, unauthenticated } from "./interceptors/auth.ts";

/** Options of `createGate`. */
export interface GateOptions {
  readonly authenticate: Authenticate;
  readonly interceptors: readonly Interceptor[];
}

/**
 * Looks at a call before its body is read: callers without a valid key cannot make the server hold
 * or parse a message. They still pass through the interceptors, for their status and log line.
 */
export function createGate({ authenticate, interceptors }: GateOptions) {
  const refuse = interceptors.reduceRight<ReturnType<Interceptor>>(
    (next, interceptor) => interceptor(next),
    () => Promise.reject(unauthenticated()),
  );
  return async (context: HandlerContext): Promise<void> => {
    context.values.get(exchangeKey).setHeaders(context.responseHeader);
    if (authenticate(context.service, context.requestHeader) !== undefined) return;
    await refuse({
      stream: true,
      service: context.service,
      method: context.method,
      url: context.url,
      requestMethod: context.requestMethod,
      header: context.requestHeader,
      signal: context.signal,
      contextValues: context.values,
      message: (async function* () {})(),
    } as Parameters<typeof refuse>[0]);
  };
}
