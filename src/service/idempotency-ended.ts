import { CodemodeError } from "../shared/errors.ts";
import type { Execution, ExecutionEvent } from "../shared/model.ts";
import { executionLost } from "./endings.ts";
import type { KnownEnd } from "./idempotency-table.ts";
import { type ReadExecution, Reader } from "./reader.ts";

/** An execution whose log is gone, as far as it is remembered. */
export interface RememberedEnd extends KnownEnd {
  readonly executionId: string;
}

/** The execution as it ended. Throws a CodemodeError `execution_lost` when the service had lost it. */
export function rememberedExecution({ executionId, execution }: RememberedEnd): Execution {
  if (execution === undefined) throw executionLost(executionId, undefined);
  return execution;
}

/**
 * A reader of what is remembered: one mark in place of the log, then `finished`. Throws as
 * `rememberedExecution`.
 */
export function rememberedReader(end: RememberedEnd, signal: AbortSignal): Reader {
  const { executionId, lastSequence } = end;
  const summary = rememberedExecution(end);
  const execution: ReadExecution = {
    executionId,
    tenant: "", // whose turn it is matters to longer logs
    over: Promise.resolve(),
    settled: Promise.resolve(),
    failure: undefined,
    lastSequence,
    summary: () => summary,
    statusOf: CodemodeError.from,
    answer() {
      throw new CodemodeError("not_found", "the execution has ended");
    },
    closeCaller() {},
  };
  return new Reader({
    execution,
    attached: { lastSequence, openCalls: [] },
    host: 0,
    tools: [],
    signal,
    read: () => remainder(summary, lastSequence),
    leave: async () => {},
  });
}

async function* remainder(
  { outcome, endTime = new Date(0) }: Execution,
  lastSequence: number,
): AsyncGenerator<ExecutionEvent, void, undefined> {
  if (outcome === undefined) throw new Error("an ended execution has an outcome");
  const place = { time: endTime, attempt: 1 };
  const omittedBytes = outcome.usage.outputBytes;
  yield { ...place, type: "trimmed", firstSequence: 1, sequence: lastSequence - 1, omittedBytes };
  yield { ...place, type: "finished", sequence: lastSequence, outcome };
}
