import { parseJson } from "../../src/shared/json.ts";
import type { Violation } from "./check.ts";
import { stdoutPiece } from "./programs.ts";
import type { Log, SeenEvent, Story } from "./story.ts";

/** What is wrong with the whole logs of a story, each for itself. */
export function checkLogs(story: Story): Violation[] {
  return story.logs
    .filter(({ status }) => status === undefined)
    .flatMap((log) => [
      ...checkNumbers(log.events, 0),
      ...checkEnds(log),
      ...checkCalls(log),
      ...checkText(story, log.events),
    ]);
}

/** Faults of numbers that are not one after the other, from the one after `afterSequence`. */
export function checkNumbers(events: readonly SeenEvent[], afterSequence: number): Violation[] {
  const found: Violation[] = [];
  let last = afterSequence;
  for (const event of events) {
    const first = event.type === "trimmed" ? event.firstSequence : event.sequence;
    if (first > last + 1) {
      found.push({ name: "gap", detail: `event ${last} is followed by event ${first}` });
    } else if (first <= last) {
      found.push({ name: "duplicate", detail: `event ${last} is followed by event ${first}` });
    }
    last = Math.max(last, event.sequence);
  }
  return found;
}

function checkEnds({ executionId, events }: Log): Violation[] {
  const found: Violation[] = [];
  const [first] = events;
  // One that was cancelled in the queue has nothing but its end.
  if (first?.type !== "finished") {
    if (first?.type !== "started") {
      found.push({ name: "no start", detail: `the log begins with ${first?.type}` });
    } else if (first.executionId !== executionId) {
      found.push({ name: "foreign event", detail: `started names ${first.executionId}` });
    }
  }
  const starts = events.filter(({ type }) => type === "started").length;
  if (starts > 1) found.push({ name: "double run", detail: `${starts} started in one log` });
  const ends = events.filter(({ type }) => type === "finished").length;
  if (ends > 1) found.push({ name: "two finished", detail: `${ends} finished in one log` });
  if (events.at(-1)?.type !== "finished") {
    found.push({ name: "no end", detail: `the log ends with ${events.at(-1)?.type}` });
  }
  return found;
}

function checkCalls({ events }: Log): Violation[] {
  const found: Violation[] = [];
  const open = new Set<string>();
  const known = new Set<string>();
  for (const event of events) {
    if (event.type === "tool_call") {
      if (known.has(event.callId)) found.push({ name: "double call", detail: event.callId });
      known.add(event.callId);
      open.add(event.callId);
    } else if (event.type === "tool_result" && !open.delete(event.callId)) {
      const name = known.has(event.callId) ? "double result" : "result without a call";
      found.push({ name, detail: `call ${event.callId}` });
    } else if (event.type === "finished") {
      for (const callId of open) found.push({ name: "call without a result", detail: callId });
      const { toolCalls } = event.outcome.usage;
      if (toolCalls !== known.size) {
        found.push({ name: "wrong usage", detail: `${toolCalls} calls for ${known.size}` });
      }
    }
  }
  return found;
}

/** Faults of a program's output, which is known to the letter; from the start of a log. */
export function checkText(
  { act: { program, token } }: Story,
  events: readonly SeenEvent[],
): Violation[] {
  if (program.kind === "syntax") return [];
  let at = 0;
  for (const event of events) {
    // A mark tells nothing of the channel, but programs that print so much print on one.
    if (event.type === "trimmed") at += event.omittedBytes;
    if (event.type !== "output" || event.channel !== "stdout") continue;
    const right = stdoutPiece(program.kind, token, at, event.text.length);
    if (event.text !== right) {
      const got = JSON.stringify(event.text.slice(0, 80));
      const name = event.text.includes(token) ? "wrong text" : "foreign text";
      return [
        {
          name,
          detail: `event ${event.sequence} at ${at}: ${got} for ${JSON.stringify(right.slice(0, 80))}`,
        },
      ];
    }
    at += event.text.length;
  }
  return [];
}

/** Label of a call by its arguments; undefined where there is none. */
export function labelOf(argumentsJson: string): { label?: string; token?: string } {
  const args = parseJson(argumentsJson);
  if (typeof args !== "object" || args === null || Array.isArray(args)) return {};
  const { label, token } = args as Readonly<Record<string, unknown>>;
  return {
    ...(typeof label === "string" && { label }),
    ...(typeof token === "string" && { token }),
  };
}
