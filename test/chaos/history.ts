import type { EventBody, Execution, ExecutionEvent, Outcome } from "../../src/shared/model.ts";
import type { Act } from "./acts.ts";
import type { Blow } from "./blows.ts";
import { checkStory } from "./check.ts";
import { stdoutLength, stdoutPiece } from "./programs.ts";
import { openStory, openView, type Story } from "./story.ts";

const token = "t1";
const tenant = "red";
const executionId = "i-1";
const time = new Date(0);

const act: Act = {
  token,
  pauseMs: 0,
  program: { kind: "sequential", language: "python", count: 1, ms: 0, slackMs: 0 },
  road: "stream",
  requestId: "r1",
  keepMs: 0,
  deadlineMs: undefined,
  slowMs: 0,
  leaves: [],
  beside: [],
};

const usage = { wallMs: 1, cpuMs: 1, peakMemoryBytes: 1, outputBytes: 26, toolCalls: 2 };
const surroundings = { usage, isolationTier: "T2", engine: "cpython", warnings: [] } as const;

/** The end of a program with a value. */
export function completed(json: string): Outcome {
  return {
    status: "completed",
    value: { json, text: "", type: "list", conversions: [], notes: [] },
    ...surroundings,
  };
}

/** The end of a program that failed. */
export function failedWith(reason: "crashed" | "timeout" | "cancelled", message = ""): Outcome {
  const error = { reason, type: "", message, traceback: "", line: 0 };
  return { status: "failed", error, ...surroundings };
}

/** The event of a body at a place. */
export function eventAt(sequence: number, body: EventBody): ExecutionEvent {
  return { ...body, sequence, time, attempt: 1 };
}

function line(index: number): EventBody {
  const width = stdoutLength("sequential", token, 1);
  const text = stdoutPiece("sequential", token, index * width, width);
  return { type: "output", channel: "stdout", text };
}

/** The log of a program that made one call of its caller's tool, after the one that says that it runs. */
export function goodLog(): ExecutionEvent[] {
  const ids = { executionId, instanceId: "i", correlationId: token };
  const about = { seed: 1n, engine: "cpython", language: "python", isolationTier: "T2" } as const;
  const label = `${token}/0`;
  const begin = { callKey: "0/0", tool: "begin", argumentsJson: JSON.stringify({ token }) };
  const effect = {
    callKey: "0/1",
    tool: "effect",
    argumentsJson: JSON.stringify({ token, label }),
  };
  const bodies: EventBody[] = [
    { type: "started", ...about, ...ids },
    { type: "tool_call", callId: "1", ...begin },
    { type: "tool_result", callId: "1", resultJson: "null" },
    line(0),
    { type: "tool_call", callId: "2", ...effect },
    { type: "tool_result", callId: "2", resultJson: JSON.stringify(label) },
    line(1),
    { type: "finished", outcome: completed(JSON.stringify([token, [label]])) },
  ];
  return bodies.map((body, index) => eventAt(index + 1, body));
}

/** A story in which nothing is wrong: one reader that saw everything, one effect. */
export function goodStory(log = goodLog()): Story {
  const story = openStory(act, tenant);
  story.begins.push(executionId);
  story.logs = [{ executionId, events: log, status: undefined, message: "", answeredAt: 0 }];
  story.endedAt = story.startedAt + 1_000;
  addView(story, log);
  addEffect(story);
  return story;
}

/** A story whose log and reader have what a change makes of a good log. */
export function withLog(change: (log: ExecutionEvent[]) => ExecutionEvent[]): Story {
  return goodStory(change(goodLog()));
}

/** A story that ended in a certain way. */
export function withOutcome(outcome: Outcome): Story {
  return withLog((log) => log.with(7, eventAt(8, { type: "finished", outcome })));
}

/** The same of a program in JavaScript. */
export function inJavascript(outcome: Outcome): Story {
  const story = withOutcome(outcome);
  const program = { ...story.act.program, language: "javascript" };
  return { ...story, act: { ...story.act, program } };
}

/** The story's execution as the service lists it, with times of its start and its end. */
export function executionThat(
  endTime: Date,
  startTime = new Date(endTime.getTime() - 1),
): Execution {
  const ids = { executionId, instanceId: "i", correlationId: token, requestId: "r1" };
  const times = { createTime: startTime, startTime, endTime };
  const fixed = { outcome: undefined, language: "python", lastSequence: 2 };
  return { ...ids, ...times, ...fixed, state: "finished" };
}

/** Names of what the checker finds wrong with a story. */
export function namesOf(story: Story, blows: readonly Blow[] = []): string[] {
  const found = checkStory(story, { endedForMs: 1_000, blows });
  return [...new Set(found.map(({ name }) => name))];
}

/** One more reader of the story's execution. */
export function addView(
  story: Story,
  events: readonly ExecutionEvent[],
  { reader = "lead", afterSequence = 0 } = {},
): void {
  const via = afterSequence === 0 ? "start" : "attach";
  const view = openView(story, reader, { via, afterSequence, executionId });
  view.events.push(...events);
  view.end = { how: "ended" };
  view.endedAt = story.endedAt;
}

/** One more effect of the story's call. */
export function addEffect(story: Story, changes: Partial<Story["effects"][number]> = {}): void {
  story.effects.push({
    host: "lead",
    executionId,
    callId: "2",
    tool: "effect",
    token,
    label: `${token}/0`,
    context: { token, tenant },
    at: 0,
    ...changes,
  });
}
