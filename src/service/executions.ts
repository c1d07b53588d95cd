import { randomUUID } from "node:crypto";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { ExecutionStore } from "../execution/store.ts";
import type { EngineInfo, Execution, ExecutionRequest, ToolResult } from "../shared/model.ts";
import { correlationHeader } from "../shared/status.ts";
import { Stop } from "../shared/stop.ts";
import { Tally } from "../shared/tally.ts";
import type { Refusals } from "../tools/bridge.ts";
import type { PayloadBounds } from "../tools/budget.ts";
import type { ToolServices } from "../tools/tool-service.ts";
import type { Place } from "./attach.ts";
import type { Call } from "./call.ts";
import { DepartingLogs } from "./departing-logs.ts";
import { EndedExecutions, type RetentionBounds } from "./ended.ts";
import { EndedExecution } from "./ended-execution.ts";
import { noSuchExecution, shutdown, tooManyLogs } from "./endings.ts";
import { KnownExecutions, type Listed, type ListFilter } from "./known.ts";
import type { Reader } from "./reader.ts";
import type { FollowerBounds } from "./readers.ts";
import { RunningExecution } from "./running.ts";

/** What executions run on. */
export interface ExecutionsOptions {
  readonly dispatcher: Dispatcher;
  readonly store: ExecutionStore;
  /** Prefix of every execution id. */
  readonly instanceId: string;
  /** Longest wait for a slot, milliseconds. */
  readonly queueTimeoutMs: number;
  /** State of an engine by its name, for outcomes. */
  readonly engineInfo: (engine: string) => EngineInfo | undefined;
  /** Those that requests may choose. */
  readonly toolServices: ToolServices;
  readonly payloads: PayloadBounds;
  readonly retention: RetentionBounds;
  readonly followerBounds: FollowerBounds;
  /** Executions known at once, running and ended. */
  readonly maxKnown: number;
}

/** Numbers of all executions, at this moment. */
export interface ExecutionStats {
  /** Executions that are known, running and ended. */
  readonly known: number;
  readonly followers: number;
  /** Bytes of the logs of those that run, and of those that have ended and are kept. */
  readonly runningLogBytes: number;
  readonly endedLogBytes: number;
}

/** All executions of this instance. Disposing it ends them. */
export interface Executions extends AsyncDisposable {
  /** Tool calls and answers that were refused so far, without effect. */
  readonly refusals: Readonly<Refusals>;
  stats(): ExecutionStats;
  /** Bytes of the logs of the tenant's executions that run. */
  logBytes(tenant: string): number;
  /**
   * Starts an execution for a call, and gives its leading reader, which leaves when the signal aborts.
   * What goes wrong with the execution comes out of the reader's events. Throws a CodemodeError
   * `overloaded` when no more executions can be known.
   */
  start(request: ExecutionRequest, call: Call, signal: AbortSignal): Reader;
  /**
   * A further reader of an execution of the tenant, running or ended. Rejects with a CodemodeError:
   * `not_found` for an id that is unknown or another tenant's, `out_of_range`, `overloaded`.
   */
  attach(executionId: string, tenant: string, place: Place, signal: AbortSignal): Promise<Reader>;
  /** Resolves when an execution is over that is being ended before it started; undefined for any other. */
  givenUp(executionId: string, tenant: string): Promise<void> | undefined;
  /** An execution of the tenant as it stands. Throws `not_found`, or `execution_lost`. */
  get(executionId: string, tenant: string): Execution;
  /** The tenant's executions that a filter lets through, newest first. */
  list(tenant: string, filter: ListFilter): Iterable<Listed>;
  /**
   * Cancels an execution of the tenant; resolves with it when it has ended, and without effect when
   * it had. Rejects `not_found` for an id that is unknown or another tenant's.
   */
  cancel(executionId: string, tenant: string): Promise<Execution>;
  /**
   * Gives an answer to a tool call of an execution of the tenant; true when the same answer has been
   * given before. Throws a CodemodeError: `not_found` for an execution or call that is unknown, not
   * open or another tenant's, `already_exists` for a second and different answer, `invalid_request`.
   */
  answer(executionId: string, tenant: string, result: ToolResult): boolean;
  /** Ends every execution; resolves when the last is over. Those still waiting are `unavailable`. */
  stopAll(): Promise<void>;
}

/** Makes the centre of the service: from a request to a lease, a run, a log and an outcome. */
export function createExecutions(options: ExecutionsOptions): Executions {
  const { instanceId, store, retention, maxKnown } = options;
  const known = new KnownExecutions<RunningExecution | EndedExecution>();
  const running = new Set<RunningExecution>();
  const departing = new DepartingLogs(store);
  const ended = new EndedExecutions<EndedExecution>({
    ...retention,
    forget(execution) {
      known.delete(execution);
      departing.drop(execution);
    },
  });
  const refusals: Refusals = { calls: 0, answers: 0 };
  const tallies = { followers: new Tally(), logBytes: new Tally() };

  function find(executionId: string, tenant: string): RunningExecution | EndedExecution {
    const execution = known.get(executionId, tenant);
    if (execution === undefined) throw noSuchExecution();
    return execution;
  }

  function onOver(execution: RunningExecution): void {
    running.delete(execution);
    if (execution.summary().state === "finished") {
      const record = new EndedExecution(execution, store);
      known.set(record);
      ended.add(record);
    } else {
      // It never started: its readers have the error, and nobody will look for a log.
      known.delete(execution);
      void departing.delete(execution.executionId);
    }
  }

  async function stopAll(): Promise<void> {
    const executions = [...running];
    for (const execution of executions) execution.stop(shutdown);
    await Promise.all(executions.map(({ over }) => over));
  }

  return {
    refusals,
    stats: () => ({
      known: known.count,
      followers: tallies.followers.total,
      runningLogBytes: tallies.logBytes.total,
      endedLogBytes: ended.bytes,
    }),
    logBytes: (tenant) => tallies.logBytes.of(tenant),

    start(request, call, signal) {
      if (known.count >= maxKnown && !ended.forgetOldest()) throw tooManyLogs(maxKnown);
      const executionId = `${instanceId}-${randomUUID().replaceAll("-", "")}`;
      call.setTrailer(correlationHeader, request.correlationId);
      const own = { executionId, request, call, refusals, ...tallies };
      const execution = new RunningExecution({ ...options, ...own });
      known.set(execution);
      running.add(execution);
      void execution.over.then(() => onOver(execution));
      return execution.lead(signal);
    },

    async attach(executionId, tenant, place, signal) {
      return await find(executionId, tenant).attach(place, signal);
    },

    givenUp(executionId, tenant) {
      const execution = known.get(executionId, tenant);
      const isGivenUp = execution instanceof RunningExecution && execution.isGivenUp;
      return isGivenUp ? execution.over : undefined;
    },

    get(executionId, tenant) {
      const execution = find(executionId, tenant);
      if (execution.failure !== undefined) throw execution.failure;
      return execution.summary();
    },

    list: (tenant, filter) => known.list(tenant, filter),

    async cancel(executionId, tenant) {
      const execution = find(executionId, tenant);
      execution.stop(new Stop("cancelled", "the caller cancelled the execution"));
      await execution.over;
      const summary = execution.summary();
      // It ended before it started, in another way.
      if (summary.state !== "finished") throw noSuchExecution();
      return summary;
    },

    answer(executionId, tenant, result) {
      const execution = known.get(executionId, tenant);
      if (execution instanceof RunningExecution) return execution.answer(result);
      refusals.answers += 1;
      throw noSuchExecution();
    },

    stopAll,

    async [Symbol.asyncDispose]() {
      await stopAll();
      ended[Symbol.dispose]();
      departing[Symbol.dispose]();
    },
  };
}
