import { randomUUID } from "node:crypto";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { ExecutionStore } from "../execution/store.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { EngineInfo, Execution, ExecutionRequest, ToolResult } from "../shared/model.ts";
import { correlationHeader } from "../shared/status.ts";
import { Stop } from "../shared/stop.ts";
import type { Refusals } from "../tools/bridge.ts";
import type { PayloadBounds } from "../tools/budget.ts";
import type { ToolServices } from "../tools/tool-service.ts";
import type { Call } from "./call.ts";
import { FinishedExecutions } from "./finished.ts";
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
}

/** All executions of this instance. Disposing it ends them. */
export interface Executions extends AsyncDisposable {
  /** Tool calls and answers that were refused so far, without effect. */
  readonly refusals: Readonly<Refusals>;
  /**
   * Starts an execution for a call. Never throws: what goes wrong comes out of its events. When the
   * signal aborts, its reader is gone and it is cancelled.
   */
  start(request: ExecutionRequest, call: Call, signal: AbortSignal): RunningExecution;
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
  stopAll(stop: Stop): Promise<void>;
}

// Enough for a cancel that crosses with the end of its execution, whatever the rate of executions.
const remembered = { maxCount: 1_024, maxAgeMs: 10 * 60_000, maxBytes: 16 * 1024 * 1024 };

/** Makes the centre of the service: from a request to a lease, a run, a log and an outcome. */
export function createExecutions(options: ExecutionsOptions): Executions {
  const running = new Map<string, RunningExecution>();
  const finished = new FinishedExecutions(remembered);
  const refusals: Refusals = { calls: 0, answers: 0 };

  function forget(execution: RunningExecution): void {
    running.delete(execution.executionId);
    const summary = execution.summary();
    if (summary.state === "finished") finished.add(execution.tenant, summary);
  }

  async function stopAll(stop: Stop): Promise<void> {
    const executions = [...running.values()];
    for (const execution of executions) execution.stop(stop);
    await Promise.all(executions.map((execution) => execution.over));
  }

  return {
    refusals,

    start(request, call, signal) {
      const executionId = `${options.instanceId}-${randomUUID().replaceAll("-", "")}`;
      call.setTrailer(correlationHeader, request.correlationId);
      const own = { executionId, request, call, signal, refusals };
      const execution = new RunningExecution({ ...options, ...own });
      running.set(executionId, execution);
      void execution.over.then(() => forget(execution));
      return execution;
    },

    async cancel(executionId, tenant) {
      const execution = running.get(executionId);
      if (execution?.tenant === tenant) {
        execution.stop(new Stop("cancelled", "the caller cancelled the execution"));
        await execution.over;
      }
      const ended = finished.get(executionId, tenant);
      if (ended === undefined) throw new CodemodeError("not_found", "no such execution");
      return ended;
    },

    answer(executionId, tenant, result) {
      const execution = running.get(executionId);
      if (execution?.tenant === tenant) return execution.answer(result);
      refusals.answers += 1;
      throw new CodemodeError("not_found", "no such execution");
    },

    stopAll,

    async [Symbol.asyncDispose]() {
      await stopAll(new Stop("abandoned", "the service is shutting down"));
    },
  };
}
