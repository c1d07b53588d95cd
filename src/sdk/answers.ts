import { defaultRetryPolicy } from "../shared/backoff.ts";
import { CodemodeConnectionError, CodemodeError, type ErrorKind } from "../shared/errors.ts";
import type { ToolResult } from "../shared/model.ts";
import { toToolResultMessage } from "../shared/wire/tool.ts";
import { toCallError } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { PreparedCall } from "./request.ts";
import { retrying } from "./retry.ts";
import { toolFailure } from "./tool-failure.ts";
import type { ExecutorClient } from "./transport.ts";

/** An answer to a tool call of an execution. */
export interface Answer {
  readonly result: ToolResult;
  readonly executionId: string;
}

/**
 * Submits an answer, again where it is not known whether it arrived: the service takes the same one
 * twice. What it refuses for its content becomes a failure of the call; a call that is not open any
 * more needs nothing. Never rejects.
 */
export async function submitAnswer(
  client: ExecutorClient,
  call: PreparedCall,
  scope: CallScope,
  { result, executionId }: Answer,
): Promise<void> {
  const { headers, correlationId, timeoutMs } = call;
  const submission = {
    effect: "read",
    correlationId,
    retry: defaultRetryPolicy,
    timeoutMs,
  } as const;
  const send = (answer: ToolResult) =>
    // One that is under way when the execution ends comes to its own end: aborting it would cost an
    // HTTP/1.1 connection.
    retrying(submission, scope, (attemptMs) => {
      const message = { executionId, result: toToolResultMessage(answer) };
      const sent = client.submitToolResult(message, { headers, timeoutMs: attemptMs });
      return sent.catch((error: unknown) => {
        throw asRetryable(toCallError(error, submission));
      });
    });
  try {
    await send(result);
  } catch (error) {
    const { kind, message } = CodemodeError.from(error);
    if ("error" in result || !refusals.has(kind)) return;
    const failure = toolFailure("invalid_result", `the service refused the result: ${message}`);
    // Where this is not taken either, the call ends by its own time limit.
    await send({ callId: result.callId, error: failure }).catch(() => undefined);
  }
}

/** Whoever said "unavailable", the service or a proxy: the same answer may be sent again. */
function asRetryable(error: CodemodeError): CodemodeError {
  if (error.kind !== "unavailable") return error;
  return new CodemodeConnectionError(error.message, { cause: error, retryable: true });
}

/** What a service says of an answer that it does not want, however often it is sent. */
const refusals: ReadonlySet<ErrorKind> = new Set(["invalid_request", "out_of_range", "overloaded"]);
