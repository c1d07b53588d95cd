import type { HandlerContext, Interceptor } from "@connectrpc/connect";
import { Health } from "../../gen/es/health/v1/health_pb.ts";
import { instanceTrailer } from "../shared/status.ts";
import { type CallExchange, exchangeKey } from "./exchange.ts";
import { type Authenticate, unauthenticated } from "./interceptors/auth.ts";

/** Options of `createGate`. */
export interface GateOptions {
  /** What the trailers of every response name. */
  readonly instanceId: string;
  readonly authenticate: Authenticate;
  readonly interceptors: readonly Interceptor[];
}

/**
 * Looks at a call before its body is read: callers without a valid key, or with too much under way,
 * cannot make the server hold or parse a message. They still pass through the interceptors, for their
 * status and log line.
 */
export function createGate({ instanceId, authenticate, interceptors }: GateOptions) {
  const refuse = (error: unknown) =>
    interceptors.reduceRight<ReturnType<Interceptor>>(
      (next, interceptor) => interceptor(next),
      () => Promise.reject(error),
    );
  return async (context: HandlerContext): Promise<void> => {
    const exchange = context.values.get(exchangeKey);
    exchange.setHeaders(context.responseHeader);
    // Here and not in an interceptor: a message that cannot be read never comes to one.
    context.responseTrailer.set(instanceTrailer, instanceId);
    const fault = faultOf(authenticate, exchange, context);
    if (fault === undefined) return;
    await refuse(fault)({
      stream: true,
      service: context.service,
      method: context.method,
      url: context.url,
      requestMethod: context.requestMethod,
      header: context.requestHeader,
      signal: context.signal,
      contextValues: context.values,
      message: (async function* () {})(),
    } as Parameters<ReturnType<Interceptor>>[0]);
  };
}

function faultOf(
  authenticate: Authenticate,
  exchange: CallExchange,
  { service, requestHeader }: HandlerContext,
): unknown {
  const tenant = authenticate(service, requestHeader);
  if (tenant === undefined) return unauthenticated();
  // Health is asked without a key, and says nothing of whose connection it is.
  if (service.typeName === Health.typeName) return undefined;
  try {
    exchange.admit(tenant);
    return undefined;
  } catch (error) {
    return error;
  }
}
