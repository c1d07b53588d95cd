import { ExecutionLog, type ExecutionLogOptions } from "../../src/execution/log.ts";
import { createMemoryStore } from "../../src/execution/memory-store.ts";
import type { EventBody, ExecutionEvent, Outcome } from "../../src/shared/model.ts";
import { failed } from "../../src/shared/stop.ts";

const outcome: Outcome = {
  ...failed("cancelled", "x"),
  usage: { wallMs: 1, cpuMs: 0, peakMemoryBytes: 0, outputBytes: 0, toolCalls: 0 },
  isolationTier: undefined,
  engine: "",
  warnings: [],
};

/** The end of a log. */
export const finished: EventBody = { type: "finished", outcome };

/** Text on stdout. */
export const output = (text: string): EventBody => ({ type: "output", channel: "stdout", text });

/** What `settledSoon` gives for a promise that waits for something else. */
export const isStill = Symbol("still pending");

/** Opens the log "e", in memory where nothing is said. */
export async function openLog(options: Partial<ExecutionLogOptions> = {}) {
  const { store = createMemoryStore(), signal = new AbortController().signal, ...rest } = options;
  const log = new ExecutionLog({ store, executionId: "e", signal, ...rest });
  await log.open();
  return log;
}

/** The promise's value if it settles on what is under way now, without outside help. */
export function settledSoon<T>(promise: Promise<T>): Promise<T | typeof isStill> {
  const turn = new Promise<typeof isStill>((resolve) => setImmediate(() => resolve(isStill)));
  return Promise.race([promise, turn]);
}

/** The next events, at most `count` of them. */
export async function take(events: AsyncIterator<ExecutionEvent, void>, count: number) {
  const taken: ExecutionEvent[] = [];
  for (let index = 0; index < count; index++) {
    const next = await events.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}
