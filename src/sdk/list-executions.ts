import type { Execution } from "../shared/model.ts";
import { states } from "../shared/wire/enums.ts";
import { fromExecutionMessage } from "../shared/wire/execution.ts";
import type { CallScope } from "./call-scope.ts";
import { refuse } from "./options.ts";
import { type CallOptions, prepareCall } from "./request.ts";
import { retrying } from "./retry.ts";
import type { ExecutionDeps } from "./start-execution.ts";
import type { Connection } from "./transport.ts";
import { runUnary } from "./unary.ts";

/** Which executions a list has. */
export interface ExecutionFilter {
  /** Only those in this state. Default: all. */
  readonly state?: Execution["state"] | undefined;
  /** Only those that were started with this correlation id. Default: all. */
  readonly correlationId?: string | undefined;
  /** How many are asked for at once, 1 to 1,000. Default 100. */
  readonly pageSize?: number | undefined;
}

/**
 * The executions that the services of all urls know, newest first, page by page as they are read.
 * Throws CodemodeErrors out of the iteration.
 */
export async function* listExecutions(
  deps: ExecutionDeps,
  filter: ExecutionFilter,
  options: CallOptions,
): AsyncGenerator<Execution, void, undefined> {
  const { pageSize = 100 } = filter;
  const isSize = Number.isSafeInteger(pageSize) && pageSize >= 1 && pageSize <= 1_000;
  refuse(isSize ? [] : [{ field: "pageSize", description: "expected 1 to 1,000" }]);
  const lists = deps.connections.all.map((connection) =>
    pagesOf(deps, connection, { ...filter, pageSize }, options),
  );
  const seen = new Set<string>();
  for await (const execution of newestFirst(lists)) {
    // Two urls may lead to one instance.
    if (seen.has(execution.executionId)) continue;
    if (lists.length > 1) seen.add(execution.executionId);
    yield execution;
  }
}

async function* pagesOf(
  { settings, calls, budget }: ExecutionDeps,
  { client }: Connection,
  { state, correlationId = "", pageSize = 0 }: ExecutionFilter,
  options: CallOptions,
): AsyncGenerator<Execution, void, undefined> {
  const wanted = { pageSize, correlationId, ...(state && { state: states.toWire(state) }) };
  for (let pageToken = ""; ; ) {
    const call = prepareCall(settings, options, "read");
    const { headers } = call;
    const page = await runUnary(call, calls, (scope: CallScope) =>
      retrying(
        call,
        scope,
        (timeoutMs) => {
          const attempt = { headers, timeoutMs, signal: scope.signal };
          return client.listExecutions({ ...wanted, pageToken }, attempt);
        },
        { budget },
      ),
    );
    yield* page.executions.map(fromExecutionMessage);
    pageToken = page.nextPageToken;
    if (pageToken === "") return;
  }
}

/** Lists that are each newest first, as one. */
async function* newestFirst(
  lists: readonly AsyncGenerator<Execution, void, undefined>[],
): AsyncGenerator<Execution, void, undefined> {
  const heads = await Promise.all(lists.map(async (list) => ({ list, step: await list.next() })));
  for (;;) {
    let newest: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.step.done === true) continue;
      const time = head.step.value.createTime;
      if (newest?.step.value === undefined || time > newest.step.value.createTime) newest = head;
    }
    if (newest === undefined || newest.step.done === true) return;
    yield newest.step.value;
    newest.step = await newest.list.next();
  }
}
