import { inspect, isDeepStrictEqual } from "node:util";
import { parseJson } from "../../src/shared/json.ts";
import type { Failure, JsonValue, Outcome } from "../../src/shared/model.ts";
import { type Blow, type BlowKind, type Span, survivedBlow, takeBlow } from "./blows.ts";
import type { Violation } from "./check.ts";
import {
  callsTools,
  engineOf,
  expectedOf,
  limitsOf,
  type Program,
  stdoutLength,
  stdoutPiece,
} from "./programs.ts";
import type { Answer, Result, SeenEvent, Story } from "./story.ts";

/** What is wrong with how a story's executions ended; more than one where a request never started. */
export function checkOutcomes(story: Story, blows: readonly Blow[]): Violation[] {
  const { logs, views, answers, executions } = story;
  const ids = new Set(
    [...logs, ...views, ...answers].flatMap(({ executionId }) => executionId ?? []),
  );
  return [
    ...[...ids].flatMap((executionId) => {
      const isIts = (one: { readonly executionId: string | undefined }) =>
        one.executionId === executionId;
      const its = {
        logs: logs.filter(isIts),
        views: views.filter(isIts),
        answers: answers.filter(isIts),
        executions: executions.filter(isIts),
      };
      return checkOutcome({ ...story, ...its }, blows);
    }),
    ...answers.flatMap((answer) => checkAnswer(story, answer)),
  ];
}

function checkOutcome(story: Story, blows: readonly Blow[]): Violation[] {
  const outcomes = [...story.logs, ...story.views].flatMap(({ events }) => finishedOf(events));
  const [first] = outcomes;
  const results = [
    ...outcomes.map(resultOf),
    ...[...story.views, ...story.answers].flatMap(({ result }) => result ?? []),
  ];
  const [result] = results;
  if (result === undefined) return [];
  const other =
    outcomes.find((outcome) => !isDeepStrictEqual(outcome, first)) ??
    results.find((one) => !isDeepStrictEqual(one, result));
  if (other !== undefined) {
    return [{ name: "two outcomes", detail: `${inspect(first ?? result)} and ${inspect(other)}` }];
  }
  const ending =
    result.status === "completed"
      ? checkValue(story, result.value)
      : checkFailure(story, result, blows);
  return [...ending, ...checkSurvival(story, blows)];
}

/** An outcome as clients tell it. */
export function resultOf(outcome: Outcome): Result {
  const { status } = outcome;
  if (status === "completed") {
    const { json } = outcome.value;
    return { status, value: json === undefined ? undefined : parseJson(json) };
  }
  const { reason, message } = outcome.error;
  return { status, reason, message };
}

function checkValue(story: Story, value: JsonValue | undefined): Violation[] {
  const { program, token } = story.act;
  const expected = expectedOf(program, token, story.tenant);
  if (!expected.values.some((one) => isDeepStrictEqual(one, value))) {
    const text = inspect(value);
    return [{ name: text.includes(token) ? "wrong value" : "foreign value", detail: text }];
  }
  const { lines } = expected;
  const bytes = story.logs.flatMap(({ events }) =>
    events.map((event) => {
      if (event.type === "trimmed") return event.omittedBytes;
      return event.type === "output" && event.channel === "stdout" ? event.text.length : 0;
    }),
  );
  if (lines === undefined || bytes.length === 0) return [];
  const total = bytes.reduce((sum, length) => sum + length, 0);
  const right = stdoutLength(program.kind, token, lines);
  return total === right ? [] : [{ name: "lost output", detail: `${total} bytes of ${right}` }];
}

function finishedOf(events: readonly SeenEvent[]): Outcome[] {
  return events.flatMap((event) => (event.type === "finished" ? [event.outcome] : []));
}

function checkFailure(
  story: Story,
  error: Extract<Result, { status: "failed" }>,
  blows: readonly Blow[],
): Violation[] {
  const { program, token } = story.act;
  const { reasons, message } = expectedOf(program, token, story.tenant);
  if (reasons.includes(error.reason)) {
    const isRight = message === undefined || error.message === message;
    return isRight
      ? []
      : [{ name: "foreign value", detail: `the exception says ${error.message}` }];
  }
  if (isExplained(story, error, blows)) return [];
  return [{ name: "unexplained end", detail: `${error.reason}: ${error.message}` }];
}

/** Whether what was done to the execution explains a failure that is not the program's own. */
function isExplained(
  story: Story,
  error: Pick<Failure, "reason" | "message">,
  blows: readonly Blow[],
): boolean {
  const { act, deeds } = story;
  const { token, keepMs, program } = act;
  const isAlone = deeds.has("left") || deeds.has("deadline");
  // A twin that began it, since its lead was refused or cancelled before, answers no calls.
  const isUnattended = isAlone || !story.views.some(({ reader }) => reader.startsWith("lead"));
  const by = (...kinds: readonly BlowKind[]) => takeBlow(blows, { token, kinds, ...spanOf(story) });
  switch (error.reason) {
    case "cancelled":
      if (error.message.includes("before the program started")) return isOutOfTime(story);
      return deeds.has("cancelled") || (isAlone && keepMs === 0);
    case "abandoned":
      return isAlone && keepMs > 0 && keepMs < limitsOf(program).wallMs;
    case "crashed":
      return by(...losses.flatMap(({ says, kinds }) => (says.test(error.message) ? kinds : [])));
    case "timeout":
      // Each of its calls waited for a host that did not come back.
      if (callsTools(program) && isUnattended) return true;
      return by("stop_guest", "stop_engine");
    case "exception":
      // While the kernel ends a namespace, it gives no thread to those that are still to die.
      if (error.message.includes("no thread is left") && by("kill_zygote")) return true;
      // The first call of all has no more time than the one that is to run out of it.
      if (error.message.includes("begin did not answer within")) return hasShortWait(program);
      return callsTools(program) && isUnattended && error.message.includes("did not answer within");
    default:
      return false;
  }
}

function hasShortWait({ kind }: Program): boolean {
  return kind === "unanswered" || kind === "near_wait";
}

/** Whether who asked for a program had no time left before it started. */
function isOutOfTime({ act, executions, endedAt, startedAt, views }: Story): boolean {
  const hasStarted =
    executions.some(({ startTime }) => startTime !== undefined) ||
    views.some(({ events }) => events.some(({ type }) => type === "started"));
  return act.deadlineMs !== undefined && endedAt - startedAt >= act.deadlineMs && !hasStarted;
}

/** What the service says of a program that was killed, or went with the process that held it. */
const losses: readonly { readonly says: RegExp; readonly kinds: readonly BlowKind[] }[] = [
  { says: /^the guest was killed by SIGKILL$/, kinds: ["kill_guest", "kill_zygote"] },
  { says: /^the guest was lost with the process that held it$/, kinds: ["kill_zygote"] },
  {
    says: /^the program was lost: its engine process ended with SIGKILL$/,
    kinds: ["kill_engine"],
  },
  {
    says: /^the program was lost: its engine process was silent for 5000 ms$/,
    kinds: ["stop_engine"],
  },
];

/** When a story's one execution ran. */
function spanOf({ act, executions, startedAt, endedAt }: Story): Span {
  const [execution] = executions;
  return {
    engine: engineOf(act.program),
    from: execution?.startTime?.getTime() ?? startedAt,
    to: execution?.endTime?.getTime() ?? endedAt,
  };
}

/** A program that went on where the process in which it was is gone. */
function checkSurvival(story: Story, blows: readonly Blow[]): Violation[] {
  const { act, executions } = story;
  const { slowMs, leaves, beside } = act;
  // What it has said before may still be on its way to somebody who takes his time.
  const isHeldUp = slowMs > 0 || beside.some((one) => one.slowMs > 0) || leaves.length > 0;
  if (isHeldUp || executions[0]?.startTime === undefined) return [];
  const blow = survivedBlow(blows, spanOf(story));
  if (blow === undefined) return [];
  const detail = `${blow.kind} of ${blow.pid} at ${new Date(blow.at).toISOString()}`;
  return [{ name: "outlived its engine", detail }];
}

/** The text of a unary answer: the program's first 1 MiB, or what the log still had of it. */
function checkAnswer({ act }: Story, answer: Answer): Violation[] {
  const { program, token } = act;
  const { stdout, stdoutOmittedBytes } = answer;
  if (program.kind === "syntax" || stdout === "") return [];
  const whole = stdoutPiece(program.kind, token, 0, stdout.length);
  if (stdout === whole) return [];
  // Of one that joined late the oldest may be left out.
  const isPiece = stdoutOmittedBytes > 0 && stdout === pieceLike(stdout, act);
  if (isPiece) return [];
  const { reader } = answer;
  return [{ name: "wrong text", detail: stdout.slice(0, 80), reader }];
}

/** The piece of the program's text that begins where another one seems to, by its first whole line. */
function pieceLike(text: string, { program: { kind }, token }: Story["act"]): string {
  const start = text.indexOf("\n") + 1;
  const index = Number(text.slice(start + token.length + 1, start + token.length + 9));
  const from = stdoutLength(kind, token, index) - start;
  return from >= 0 ? stdoutPiece(kind, token, from, text.length) : "";
}
