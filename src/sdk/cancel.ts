import { defaultRetryPolicy } from "../shared/backoff.ts";
import { CallScope } from "./call-scope.ts";
import { type ExecutionKey, findExecution } from "./find.ts";
import type { PreparedCall } from "./request.ts";
import { retrying } from "./retry.ts";
import type { Connection } from "./transport.ts";
import { shareTime } from "./unary.ts";

/** The longest that a cancellation waits for the service, milliseconds; a guest is dead long before. */
export const graceMs = 2_000;

/** Cancels an execution at the service that has it, within `graceMs`; rejects with a CodemodeError. */
export async function cancelAt(
  { client }: Connection,
  { headers, correlationId }: Pick<PreparedCall, "headers" | "correlationId">,
  key: ExecutionKey,
): Promise<void> {
  const call = {
    effect: "read",
    correlationId,
    retry: defaultRetryPolicy,
    timeoutMs: graceMs,
  } as const;
  const scope = new CallScope();
  await retrying(call, scope, async (timeoutMs) => {
    const attempt = shareTime({ headers, timeoutMs, signal: scope.signal });
    const executionId =
      typeof key === "string" ? key : (await findExecution(client, key, attempt)).executionId;
    await client.cancelExecution({ executionId }, attempt);
  });
}
