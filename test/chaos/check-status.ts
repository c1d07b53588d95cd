import { type Blow, wasStruck } from "./blows.ts";
import type { Violation } from "./check.ts";
import { engineOf, limitsOf } from "./programs.ts";
import { type Log, rivalSuffix, type Story, type View, type ViewEnd } from "./story.ts";

/** What checks know of the service under test. */
export interface Terms {
  /** How long ended executions are kept, milliseconds. */
  readonly endedForMs: number;
  readonly blows: readonly Blow[];
}

/** Statuses that readers and other calls got without a reason. */
export function checkStatuses(story: Story, terms: Terms): Violation[] {
  return [
    ...story.views.flatMap((view) => {
      if (view.end?.how !== "failed") return [];
      const { kind, message } = view.end;
      if (isExplained(view.end, view, story, terms)) return [];
      return [{ name: "unexplained status", detail: `${kind}: ${message}`, reader: view.reader }];
    }),
    ...story.probes
      .filter(({ status, allowed }) => !allowed.includes(status))
      .map(({ what, status, allowed }) => ({
        name: "wrong answer",
        detail: `${what}: ${status} where ${allowed.join(" or ")} was due`,
      })),
    ...story.logs.flatMap((log) => {
      if (log.status === undefined || isLogExplained(log, story, terms)) return [];
      return [{ name: "no log", detail: `${log.status}: ${log.message}` }];
    }),
  ];
}

const restartMs = 15_000;

// What a client says itself of a connection that broke under it.
const broken = ["unavailable", "cancelled", "execution_lost", "internal"];

function isExplained(
  { kind, retryAfterMs }: Extract<ViewEnd, { how: "failed" }>,
  view: View,
  story: Story,
  { blows, endedForMs }: Terms,
): boolean {
  const { via, events, startedAt, endedAt, isDisturbed } = view;
  const engine = engineOf(story.act.program);
  const to = endedAt;
  const isSdk = via === "sdk" || via === "sdk attach";
  // The SDK finds its way back; for others a broken connection is the end.
  if (isDisturbed && !isSdk && broken.includes(kind)) return true;
  switch (kind) {
    case "overloaded":
      return events.length === 0 && retryAfterMs !== undefined;
    case "unavailable":
      // Cut before it began, and no time left to send it again.
      if (isDisturbed && view.hasDeadline && !hasBegun(story)) return true;
      if (events.length > 0 || retryAfterMs === undefined) return false;
      // Its engine is being started again, which may take more than one try.
      return wasStruck(blows, { engine, from: startedAt - restartMs, to });
    case "execution_lost":
      return wasStruck(blows, { engine, from: story.startedAt, to });
    case "deadline_exceeded":
      return view.hasDeadline || (isSdk && endedAt - startedAt >= longestCallMs(story));
    case "already_exists":
      return hasRival(story);
    case "not_found":
      return isGone(story, endedAt, endedForMs) || neverStarted(view, story);
    case "out_of_range":
      return isGone(story, endedAt, endedForMs) || isTrimmed(story);
    default:
      return false;
  }
}

/** Whether a log is not there because of what was done to its program, or its time was over. */
function isLogExplained(
  { status, answeredAt }: Log,
  story: Story,
  { blows, endedForMs }: Terms,
): boolean {
  if (status === "execution_lost") {
    const engine = engineOf(story.act.program);
    return wasStruck(blows, { engine, from: story.startedAt, to: story.endedAt });
  }
  return (
    (status === "not_found" || status === "out_of_range") && isGone(story, answeredAt, endedForMs)
  );
}

/** What the SDK gives a call whose program has a wall limit: its queue time and 2 s more. */
function longestCallMs({ act }: Story): number {
  return limitsOf(act.program).wallMs + 10_000 + 2_000;
}

/** Whether another request had, or may have had, the same id. */
function hasRival({ act: { token, beside } }: Story): boolean {
  return token.endsWith(rivalSuffix) || beside.some(({ kind }) => kind === "impostor");
}

/** Whether the log may have been dropped by a time, or there never was one. */
function isGone(
  { executions, logs }: Pick<Story, "executions" | "logs">,
  at: number,
  endedForMs: number,
): boolean {
  if (executions.length === 0 && logs.length === 0) return true;
  return executions.some(
    ({ endTime }) => endTime !== undefined && at > endTime.getTime() + endedForMs - 500,
  );
}

function hasBegun({ executions }: Story): boolean {
  return executions.some(({ startTime }) => startTime !== undefined);
}

/** An execution that never started is forgotten, and the request may have been sent again. */
function neverStarted({ executionId }: View, { executions }: Story): boolean {
  return executionId !== undefined && executions.every((one) => one.executionId !== executionId);
}

function isTrimmed({ logs }: Story): boolean {
  return logs.some(({ events }) => events.some(({ type }) => type === "trimmed"));
}
