import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { cancelAt } from "./cancel.ts";
import { LogCursor } from "./cursor.ts";
import { Execution } from "./execution.ts";
import { atHome } from "./home.ts";
import { openLeg } from "./leg.ts";
import { timeLeft } from "./patience.ts";
import { followLog } from "./reattach.ts";
import { type AttachOptions, type OutputSchema, prepareAttach, toHeaders } from "./request.ts";
import { toResult, type ValueOf } from "./result.ts";
import { retrying } from "./retry.ts";
import type { ExecutionDeps } from "./start-execution.ts";
import { ToolRunner } from "./tool-runner.ts";
import type { Connection } from "./transport.ts";
import { openAttached } from "./wire.ts";

/** Follows an execution that was started before, by whomever. Never throws. */
export function attachExecution<S extends OutputSchema>(
  { connections, budget, settings, calls, registry }: ExecutionDeps,
  executionId: string,
  asked: AttachOptions<S>,
): Execution<ValueOf<S>> {
  const { correlationId = randomUUID(), afterSequence = 0 } = asked;
  const options = { ...asked, correlationId };
  const answerTools = asked.answerTools ?? asked.tools !== undefined;
  const enter = AsyncLocalStorage.snapshot();
  let runner: ToolRunner | undefined;
  let foundAt: Connection | undefined;
  return new Execution({
    async *follow(scope, { readOn }) {
      calls.check();
      const call = prepareAttach(settings, options);
      const tools = answerTools ? registry.select(options.tools) : new Map();
      if (tools.size > 0) {
        const { context } = call;
        const maxBytes = settings.toolPayloadBytes;
        runner = new ToolRunner({ tools, context, correlationId, maxBytes, enter });
      }
      const endsAt = call.isPacedByReader
        ? Number.POSITIVE_INFINITY
        : performance.now() + call.timeoutMs;
      const open = openAttached({ executionId, afterSequence, answerTools });
      const attach = async (connection: Connection) => {
        const { headers } = call;
        const timeoutMs = timeLeft(endsAt);
        const leg = await openLeg(open, call, scope, { connection, headers, timeoutMs });
        foundAt = connection;
        return leg;
      };
      const reading = { ...call, effect: "read" } as const;
      const begin = () =>
        retrying(reading, scope, () => atHome(connections, executionId, attach), { budget });
      const cursor = new LogCursor({ executionId, afterSequence, isHost: answerTools });
      return yield* followLog({ begin, call, scope, cursor, runner, endsAt, readOn });
    },
    executionId,
    isOwner: false,
    readsAhead: () => runner !== undefined,
    isDrained: false,
    onOver: () => runner?.close(),
    cancel: async () => {
      const headers = toHeaders(settings, options);
      const call = { headers, correlationId };
      const cancel = (connection: Connection) => cancelAt(connection, call, executionId);
      await (foundAt === undefined ? atHome(connections, executionId, cancel) : cancel(foundAt));
    },
    toResult: (outcome, head) => toResult(outcome, head, options.output),
    calls,
    signal: options.signal,
    correlationId,
  });
}
