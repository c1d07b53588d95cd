import { onAbort } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import { CallScope, cancelledBy } from "./call-scope.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { PreparedCall } from "./request.ts";
import { retrying } from "./retry.ts";

/** What connect's clients take with one attempt of a call. */
export interface Attempt {
  readonly headers: Headers;
  /** Default: the server's longest. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** Makes a unary call, with its retries; rejects with a CodemodeError. */
export async function runUnary<T>(
  call: PreparedCall,
  calls: OpenCalls,
  send: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  calls.check();
  const { headers, correlationId } = call;
  const scope = new CallScope();
  const open = { close: () => scope.abort(closed(correlationId)) };
  using _ = onAbort(call.signal, () => scope.abort(cancelledBy(call.signal, { correlationId })));
  calls.add(open);
  try {
    return await retrying(call, scope, (timeoutMs) =>
      send({ headers, timeoutMs, signal: scope.signal }),
    );
  } finally {
    calls.delete(open);
  }
}

function closed(correlationId: string): CodemodeError {
  return new CodemodeError("cancelled", "the client was closed", { correlationId });
}
