import { onAbort } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import { CallScope, cancelledBy } from "./call-scope.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { PreparedCall } from "./request.ts";

/** What connect's clients take with one attempt of a call. */
export interface Attempt {
  readonly headers: Headers;
  /** Default: the server's longest. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  /** Told the response headers before the first message. */
  readonly onHeader?: (headers: Headers) => void;
}

/** The same attempt for several calls, one after the other: each gets the time that is left then. */
export function shareTime({ timeoutMs, ...rest }: Attempt & { timeoutMs: number }): Attempt {
  const endsAt = performance.now() + timeoutMs;
  return {
    ...rest,
    get timeoutMs() {
      return Math.max(1, Math.ceil(endsAt - performance.now()));
    },
  };
}

/**
 * Runs a call that ends when the caller's signal aborts or the client is closed; `onGivenUp` then tells
 * the service, which closing waits for. Rejects with a CodemodeError.
 */
export async function runUnary<T>(
  { signal, correlationId }: PreparedCall,
  calls: OpenCalls,
  run: (scope: CallScope) => Promise<T>,
  onGivenUp: () => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  calls.check();
  const scope = new CallScope();
  const giveUp = async (error: CodemodeError) => {
    scope.abort(error);
    await onGivenUp().catch(() => undefined);
  };
  const open = { close: () => giveUp(closed(correlationId)) };
  using _ = onAbort(signal, () => {
    const told = giveUp(cancelledBy(signal, { correlationId }));
    const telling = { close: () => told };
    calls.add(telling);
    void told.then(() => calls.delete(telling));
  });
  calls.add(open);
  try {
    return await run(scope);
  } finally {
    calls.delete(open);
  }
}

function closed(correlationId: string): CodemodeError {
  return new CodemodeError("cancelled", "the client was closed", { correlationId });
}
