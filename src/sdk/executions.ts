import type { Execution } from "../shared/model.ts";
import { fromExecutionMessage } from "../shared/wire/execution.ts";
import type { CallScope } from "./call-scope.ts";
import { type ExecutionKey, findExecution } from "./find.ts";
import { atHome } from "./home.ts";
import { type CallOptions, prepareCall } from "./request.ts";
import { retrying } from "./retry.ts";
import type { ExecutionDeps } from "./start-execution.ts";
import type { Connection } from "./transport.ts";
import { type Attempt, runUnary, shareTime } from "./unary.ts";

/** Runs a call that has no effect where it is answered; with its retries, rejects with a CodemodeError. */
export function readOnce<T>(
  { connections, settings, calls, budget }: ExecutionDeps,
  options: CallOptions,
  executionId: string,
  send: (connection: Connection, attempt: Attempt) => Promise<T>,
): Promise<T> {
  const call = prepareCall(settings, options, "read");
  const { headers } = call;
  const attempt =
    ({ signal }: CallScope) =>
    (timeoutMs: number) => {
      const shared = shareTime({ headers, timeoutMs, signal });
      return atHome(connections, executionId, (connection) => send(connection, shared));
    };
  return runUnary(call, calls, (scope) => retrying(call, scope, attempt(scope), { budget }));
}

/** Gives an execution as it stands; rejects `not_found` where no server knows it. */
export function getExecution(
  deps: ExecutionDeps,
  key: ExecutionKey,
  options: CallOptions,
): Promise<Execution> {
  const executionId = typeof key === "string" ? key : "";
  return readOnce(deps, options, executionId, ({ client }, attempt) =>
    findExecution(client, key, attempt),
  );
}

/** Ends an execution, whoever started it; gives it as it stands then. */
export function cancelExecution(
  deps: ExecutionDeps,
  executionId: string,
  options: CallOptions,
): Promise<Execution> {
  return readOnce(deps, options, executionId, async ({ client }, attempt) => {
    const { execution } = await client.cancelExecution({ executionId }, attempt);
    if (execution === undefined) return await findExecution(client, executionId, attempt);
    return fromExecutionMessage(execution);
  });
}
