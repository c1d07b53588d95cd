import { Code, ConnectError } from "@connectrpc/connect";
import { sleep } from "../shared/abort.ts";
import { backoffMs, type RetryPolicy } from "../shared/backoff.ts";
import { isConnectionLost, isHandshakeFault, isNotSent } from "../shared/connection-faults.ts";
import type { ToolAnswer } from "../shared/model.ts";
import { failure } from "./answer.ts";

/** What a service may get over by itself, so that trying again can help. */
export function isTransient(status: ConnectError): boolean {
  if (isHandshakeFault(status)) return false;
  return isNotSent(status) || isConnectionLost(status) || status.code === Code.Unavailable;
}

/** How an attempt is tried again. */
export interface Retrying {
  readonly policy: RetryPolicy;
  /** Ends the waits between attempts. */
  readonly signal: AbortSignal;
  readonly mayRetry: (status: ConnectError) => boolean;
}

/**
 * Runs an attempt until one succeeds, fails in a way that may not be tried again, or the policy or
 * the signal ends; rejects with the last error.
 */
export async function retrying<T>(
  { policy, signal, mayRetry }: Retrying,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const isLast = tries >= policy.maxAttempts || signal.aborted;
      if (isLast || !mayRetry(ConnectError.from(error))) throw error;
      await sleep(backoffMs(policy, tries), signal);
    }
  }
}

/**
 * A service's failure as the guest may know it: the kind of the status, and none of its text, which
 * may hold addresses or internals of the application.
 */
export function toServiceFailure(service: string, tool: string, status: ConnectError): ToolAnswer {
  const name = `the tool service ${JSON.stringify(service)}`;
  if (isNotSent(status) || isHandshakeFault(status)) {
    return failure("unavailable", `${name} cannot be reached`);
  }
  if (isConnectionLost(status)) {
    return failure("unavailable", `the connection to ${name} was lost`);
  }
  switch (status.code) {
    case Code.DeadlineExceeded:
      return failure("timeout", `${name} did not answer ${tool} in time`);
    case Code.NotFound:
      return failure("not_granted", `${name} no longer has the tool ${JSON.stringify(tool)}`);
    case Code.ResourceExhausted:
      // Connect's own words for a message beyond `readMaxBytes`; they hold sizes only.
      if (status.rawMessage.startsWith("message size")) {
        return failure(
          "invalid_result",
          `the result of ${tool} is too large: ${status.rawMessage}`,
        );
      }
  }
  return failure("unavailable", `${name} failed with the status ${Code[status.code]}`);
}
