import { type ContextValues, createContextKey, type HandlerContext } from "@connectrpc/connect";

/** What the edge knows of one RPC; services read this and never a header. */
export interface Call {
  /** Tenant of the key that made the call; "default" where no keys are configured. */
  readonly tenant: string;
  /** Taken from the x-correlation-id header when it is well-formed, otherwise made. */
  readonly correlationId: string;
  /** The caller's W3C trace context, where it sent a well-formed one; tool services get it too. */
  readonly traceparent?: string | undefined;
  /** When the caller's own deadline passes, on `performance.now()`; undefined where it set none. */
  readonly endsAt?: number | undefined;
  /**
   * The program is about to start: sends response headers now, so that no gRPC client's retry
   * policy runs it again whatever happens next. Idempotent.
   */
  commit(): Promise<void>;
  /** Sets a response header, before `commit`; undefined where the call has none of its own. */
  setHeader?(name: string, value: string): void;
  /** Sets a response trailer. */
  setTrailer(name: string, value: string): void;
}

/** Key under which the call interceptors keep the `Call`. */
export const callKey = createContextKey<Call | undefined>(undefined, {
  description: "codemode.Call",
});

/** The call that a handler serves, with the deadline of its caller and its response headers. */
export function getTimedCall({ values, timeoutMs, responseHeader }: HandlerContext): Call {
  const leftMs = timeoutMs();
  const endsAt = leftMs === undefined ? undefined : performance.now() + leftMs;
  const setHeader = (name: string, value: string) => responseHeader.set(name, value);
  return { ...getCall(values), endsAt, setHeader };
}

/** The call that these context values belong to. */
export function getCall(values: ContextValues): Call {
  const call = values.get(callKey);
  if (call === undefined) throw new Error("the call interceptor did not run");
  return call;
}
