import { CodemodeConnectionError, CodemodeError, CodemodeTimeoutError } from "../shared/errors.ts";
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
 * Throws CodemodeErrors out of the iteration; where some of several urls fail, after the executions of
 * the others, and names them.
 */
export async function* listExecutions(
  deps: ExecutionDeps,
  filter: ExecutionFilter,
  options: CallOptions,
): AsyncGenerator<Execution, void, undefined> {
  const { pageSize = 100 } = filter;
  const isSize = Number.isSafeInteger(pageSize) && pageSize >= 1 && pageSize <= 1_000;
  refuse(isSize ? [] : [{ field: "pageSize", description: "expected 1 to 1,000" }]);
  const { all } = deps.connections;
  const failures: Failure[] = [];
  const lists = all.map((connection) => {
    const pages = pagesOf(deps, connection, { ...filter, pageSize }, options);
    return all.length === 1 ? pages : noting(pages, connection, failures);
  });
  const seen = new Set<string>();
  for await (const execution of newestFirst(lists)) {
    // Two urls may lead to one instance.
    if (seen.has(execution.executionId)) continue;
    if (lists.length > 1) seen.add(execution.executionId);
    yield execution;
  }
  const [first] = failures;
  if (first !== undefined) throw notListed(first, failures);
}

/** A url whose executions could not be listed, or not all of them. */
interface Failure {
  readonly url: string;
  readonly error: CodemodeError;
}

/** A list that ends where it fails, and says so elsewhere. */
async function* noting(
  pages: AsyncIterable<Execution>,
  { url }: Connection,
  failures: Failure[],
): AsyncGenerator<Execution, void, undefined> {
  try {
    yield* pages;
  } catch (error) {
    const failure = CodemodeError.from(error);
    // The caller's own doing concerns all of them.
    if (failure.kind === "cancelled" || failure.kind === "invalid_request") throw error;
    failures.push({ url, error: failure });
  }
}

/** The first failure's error, with what every url said. */
function notListed({ error }: Failure, failures: readonly Failure[]): CodemodeError {
  const urls = failures.map((failure) => `${failure.url} (${failure.error.message})`).join(", ");
  const message = `could not list the executions of ${urls}`;
  const { correlationId, retryable, retryAfterMs } = error;
  const options = { cause: error, correlationId, retryable, retryAfterMs };
  if (error.kind === "unavailable") return new CodemodeConnectionError(message, options);
  if (error.kind === "deadline_exceeded") return new CodemodeTimeoutError(message, options);
  return new CodemodeError(error.kind, message, options);
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
