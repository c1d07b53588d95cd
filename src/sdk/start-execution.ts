import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { Execution, graceMs } from "./execution.ts";
import { followExecution } from "./follow.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { Settings } from "./options.ts";
import type { ToolRegistry } from "./registry.ts";
import { type ExecuteRequest, type OutputSchema, prepareExecution, toHeaders } from "./request.ts";
import { toResult, type ValueOf } from "./result.ts";
import { ToolRunner } from "./tool-runner.ts";
import type { Connection } from "./transport.ts";
import { openInteractive, openStream } from "./wire.ts";

/** What executions stand on. */
export interface ExecutionDeps {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly calls: OpenCalls;
  readonly registry: ToolRegistry;
}

/**
 * Starts a program by the road that fits: `ExecuteInteractive` where it has tools and both sides can
 * send at once (HTTP/2), otherwise `ExecuteStream`, with `SubmitToolResult` for tools' answers. Never
 * throws. With `isDrained` only the outcome is wanted.
 */
export function startExecution<S extends OutputSchema>(
  { connection, settings, calls, registry }: ExecutionDeps,
  asked: ExecuteRequest<S>,
  isDrained: boolean,
): Execution<ValueOf<S>> {
  const { client } = connection;
  const { correlationId = randomUUID() } = asked;
  const request = { ...asked, correlationId };
  const enter = AsyncLocalStorage.snapshot();
  let hasTools = false;
  let runner: ToolRunner | undefined;
  return new Execution({
    async *follow(scope) {
      calls.check();
      const tools = registry.select(request.tools);
      hasTools = tools.size > 0;
      const isPacedByReader = !isDrained && request.timeoutMs === undefined;
      const call = await prepareExecution(settings, request, tools, isPacedByReader);
      const maxBytes = settings.toolPayloadBytes;
      if (hasTools) {
        runner = new ToolRunner({ tools, context: call.context, correlationId, maxBytes, enter });
      }
      const isTwoWay = hasTools && settings.connection.httpVersion === "2";
      const open = isTwoWay ? openInteractive(client) : openStream(client);
      yield* followExecution(open, call, scope, runner);
    },
    readsAhead: () => hasTools,
    isDrained,
    onOver: () => runner?.close(),
    cancel: (executionId) => {
      const headers = toHeaders(settings, request);
      return client.cancelExecution({ executionId }, { headers, timeoutMs: graceMs });
    },
    toResult: (outcome, head) => toResult(outcome, head, request.output),
    calls,
    signal: request.signal,
    correlationId,
  });
}
