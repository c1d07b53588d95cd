import { Code, ConnectError } from "@connectrpc/connect";
import { backoffMs, type RetryPolicy } from "../shared/backoff.ts";
import {
  isConnectionLost,
  isHandshakeFault,
  isNotHttp2,
  isNotSent,
  notHttp2,
} from "../shared/connection-faults.ts";
import type { ToolAnswer } from "../shared/model.ts";
import type { Retrying } from "../shared/retrying.ts";
import { failure } from "./answer.ts";

/** What a service may get over by itself, so that trying again can help. */
export function isTransient(status: ConnectError): boolean {
  if (isHandshakeFault(status) || isNotHttp2(status)) return false;
  return isNotSent(status) || isConnectionLost(status) || status.code === Code.Unavailable;
}

/** Why a service cannot be reached, for the log; undefined where it was, whatever it said. */
export function whyUnreached(status: ConnectError): string | undefined {
  if (isNotHttp2(status)) return notHttp2;
  if (isHandshakeFault(status)) return `its certificate or ours is not taken: ${causeOf(status)}`;
  if (isNotSent(status)) return causeOf(status);
  return isConnectionLost(status) ? `the connection was lost: ${causeOf(status)}` : undefined;
}

/** The words of Node behind a status, such as "connect ECONNREFUSED 127.0.0.1:9000". */
function causeOf(status: ConnectError): string {
  let error: unknown = status;
  while (error instanceof Error && error.cause instanceof Error) error = error.cause;
  const [first] = error instanceof AggregateError ? error.errors : [error];
  return first instanceof Error ? first.message.trim().slice(0, 300) : status.rawMessage;
}

/** When a call of a tool service is tried again. */
export function retryOf(
  policy: RetryPolicy,
  mayRetry: (status: ConnectError) => boolean,
): Retrying["waitMs"] {
  return (error, tries) => {
    if (tries >= policy.maxAttempts || !mayRetry(ConnectError.from(error))) return undefined;
    return backoffMs(policy, tries);
  };
}

/**
 * A service's failure as the guest may know it: the kind of the status, and none of its text, which
 * may hold addresses or internals of the application.
 */
export function toServiceFailure(service: string, tool: string, status: ConnectError): ToolAnswer {
  const name = `the tool service ${JSON.stringify(service)}`;
  if (isNotSent(status) || isHandshakeFault(status) || isNotHttp2(status)) {
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
