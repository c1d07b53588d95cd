import { setTimeout as sleep } from "node:timers/promises";
import type { Execution, ExecutionEvent } from "../../src/shared/model.ts";
import { fromExecutionMessage } from "../../src/shared/wire/execution.ts";
import type { TestClient } from "../support/client.ts";
import { attachStream } from "../support/streams.ts";
import { toError } from "./reading.ts";
import type { Log, Story } from "./story.ts";

// Longer than any program may run, and waits in the queue.
const patienceMs = 80_000;

/** The executions that the service knows under a story's token. */
export async function listed(client: TestClient, story: Story): Promise<readonly Execution[]> {
  const { executions } = await client.executor.listExecutions(
    { correlationId: story.act.token },
    { timeoutMs: 30_000 },
  );
  return executions.map(fromExecutionMessage);
}

/** Waits for the end of everything that a story began, and then reads each log as a whole. */
export async function audit(client: TestClient, story: Story): Promise<void> {
  const endsAt = Date.now() + patienceMs;
  for (;;) {
    story.executions = await listed(client, story);
    const isOver = story.executions.every(({ state }) => state === "finished");
    if (isOver) break;
    if (Date.now() > endsAt) {
      story.probes.push({ what: "the end of the execution", status: "never", allowed: ["ended"] });
      break;
    }
    await sleep(20);
  }
  story.endedAt = Date.now();
  const ended = story.executions.filter(({ state }) => state === "finished");
  story.logs = await Promise.all(ended.map(({ executionId }) => readLog(client, executionId)));
}

async function readLog(client: TestClient, executionId: string): Promise<Log> {
  let events: readonly ExecutionEvent[] = [];
  try {
    const stream = await attachStream(client, { executionId }, { timeoutMs: 30_000 });
    events = stream.seen;
    await stream.rest();
    return { executionId, events, status: undefined, message: "", answeredAt: Date.now() };
  } catch (error) {
    const { kind, message } = toError(error);
    return { executionId, events, status: kind, message, answeredAt: Date.now() };
  }
}
