import type { ExecutionRequest as ExecutionRequestMessage } from "../../gen/es/codemode/v1/execution_pb.ts";
import { startDeadline } from "../shared/abort.ts";
import { CodemodeTimeoutError } from "../shared/errors.ts";
import { instanceTrailer } from "../shared/status.ts";
import { toCallError } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { PeerInfo } from "./peer.ts";
import type { PreparedExecution } from "./request.ts";
import type { Connection } from "./transport.ts";

/** Where a request goes. */
export interface Target {
  readonly connection: Connection;
  /** Undefined where the server does not say who it is. */
  readonly info: PeerInfo | undefined;
  /** The only instance that may take it; undefined for any. */
  readonly pin: string | undefined;
}

/** One sending of a request. */
export interface Sending extends Target {
  readonly headers: Headers;
  readonly message: ExecutionRequestMessage;
  /** End of the caller's own time, on `performance.now()`; infinite for none. */
  readonly endsAt: number;
}

/** A request, ready for its target. */
export function toSending(call: PreparedExecution, target: Target, endsAt: number): Sending {
  const headers = new Headers(call.headers);
  if (target.pin !== undefined) headers.set(instanceTrailer, target.pin);
  return { ...target, headers, message: call.toMessage(target.info?.maxKeepMs), endsAt };
}

/** A target that was not asked before. Rejects with a CodemodeError, retryable, where nobody is there. */
export async function firstTarget(
  connection: Connection,
  call: PreparedExecution,
  scope: CallScope,
  timeoutMs: number,
): Promise<Target> {
  const { correlationId, headers } = call;
  const { peer } = connection;
  const reason = new CodemodeTimeoutError("the service did not say who it is in time", {
    correlationId,
  });
  using deadline = startDeadline({ ms: timeoutMs, reason, parent: scope.signal });
  try {
    const info = await peer.info(headers, deadline.signal);
    const pin = peer.isOne ? info?.instanceId : undefined;
    return { connection, info, pin };
  } catch (error) {
    throw scope.error ?? toCallError(error, { effect: "read", correlationId });
  }
}
