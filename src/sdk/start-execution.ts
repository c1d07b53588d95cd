import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { cancelAt } from "./cancel.ts";
import type { Connections } from "./connections.ts";
import { LogCursor } from "./cursor.ts";
import { Execution } from "./execution.ts";
import { sendOnce } from "./once.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { Settings } from "./options.ts";
import { followLog } from "./reattach.ts";
import type { ToolRegistry } from "./registry.ts";
import { type ExecuteRequest, type OutputSchema, prepareExecution, toHeaders } from "./request.ts";
import { toResult, type ValueOf } from "./result.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { streamRoad } from "./stream-road.ts";
import { ToolRunner } from "./tool-runner.ts";
import type { Connection } from "./transport.ts";

/** What executions stand on. */
export interface ExecutionDeps {
  readonly connections: Connections;
  /** Undefined for no bound. */
  readonly budget: RetryBudget | undefined;
  readonly settings: Settings;
  readonly calls: OpenCalls;
  readonly registry: ToolRegistry;
}

/**
 * Starts a program and follows its log, its tools' answers included. Never throws. With `isDrained`
 * only the outcome is wanted.
 */
export function startExecution<S extends OutputSchema>(
  { connections, budget, settings, calls, registry }: ExecutionDeps,
  asked: ExecuteRequest<S>,
  isDrained: boolean,
): Execution<ValueOf<S>> {
  const { correlationId = randomUUID(), requestId = randomUUID() } = asked;
  const request = { ...asked, correlationId };
  const enter = AsyncLocalStorage.snapshot();
  let hasTools = false;
  let runner: ToolRunner | undefined;
  let sentOver: Connection | undefined;
  return new Execution({
    async *follow(scope, { readOn, found }) {
      calls.check();
      const tools = registry.select(request.tools);
      hasTools = tools.size > 0;
      const isPacedByReader = !isDrained && request.timeoutMs === undefined;
      const call = await prepareExecution(settings, request, tools, { requestId, isPacedByReader });
      const maxBytes = settings.toolPayloadBytes;
      if (hasTools) {
        runner = new ToolRunner({ tools, context: call.context, correlationId, maxBytes, enter });
      }
      const onSend = (connection: Connection) => {
        sentOver = connection;
      };
      // Who started an execution leads its log, with tools or without.
      const cursor = new LogCursor({ afterSequence: 0, isHost: true });
      const road = streamRoad(call, { scope, cursor, hasTools, found });
      const ways = { connections, budget, onSend };
      const endsAt = isPacedByReader
        ? Number.POSITIVE_INFINITY
        : performance.now() + call.timeoutMs;
      const begin = () => sendOnce(call, scope, ways, road);
      return yield* followLog({ begin, call, scope, cursor, runner, endsAt, readOn });
    },
    executionId: undefined,
    isOwner: true,
    readsAhead: () => hasTools,
    isDrained,
    onOver: () => runner?.close(),
    cancel: async (executionId) => {
      if (sentOver === undefined) return;
      const headers = toHeaders(settings, request);
      await cancelAt(sentOver, { headers, correlationId }, executionId ?? { requestId });
    },
    toResult: (outcome, head) => toResult(outcome, head, request.output),
    calls,
    signal: request.signal,
    correlationId,
  });
}
