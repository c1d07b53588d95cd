import { isDeepStrictEqual } from "node:util";
import type { Violation } from "./check.ts";
import { checkNumbers, checkText } from "./check-log.ts";
import type { SeenEvent, Story, View } from "./story.ts";

/** What is wrong with what readers saw: each for itself, against the log, and against each other. */
export function checkViews(story: Story): Violation[] {
  const canon = new Map<string, SeenEvent>();
  for (const { executionId, events } of story.logs) {
    for (const event of events) canon.set(`${executionId} ${event.sequence}`, event);
  }
  return story.views.flatMap((view) =>
    [
      ...checkNumbers(view.events, view.afterSequence),
      ...checkIdentity(view),
      ...checkEnd(view, story),
      ...checkMarks(view, story),
      ...checkAgainst(canon, view),
      ...(view.afterSequence === 0 ? checkText(story, view.events) : []),
    ].map((violation) => ({ ...violation, reader: view.reader })),
  );
}

function checkIdentity({ executionId, events }: View): Violation[] {
  const [first] = events;
  if (first?.type !== "started" || first.executionId === executionId) return [];
  const detail = `started names ${first.executionId}, the reader follows ${executionId}`;
  return [{ name: "foreign event", detail }];
}

function checkEnd({ events, end, afterSequence }: View, { logs, views }: Story): Violation[] {
  const found: Violation[] = [];
  const ends = events.filter(({ type }) => type === "finished").length;
  const last = events.at(-1);
  if (ends > 1) found.push({ name: "two finished", detail: `${ends} finished` });
  if (ends === 1 && last?.type !== "finished") {
    found.push({ name: "finished is not last", detail: `${last?.type} comes after it` });
  }
  // A reader that had seen everything has no event left to get.
  const seen = last?.sequence ?? afterSequence;
  const hasAll = [...logs, ...views].some(({ events: all }) => {
    const latest = all.at(-1);
    return latest?.type === "finished" && latest.sequence === seen;
  });
  if (end?.how === "ended" && last?.type !== "finished" && !hasAll) {
    found.push({ name: "lost end", detail: `the stream ended after ${last?.type ?? "nothing"}` });
  }
  if (end === undefined) found.push({ name: "hung reader", detail: "it never came to an end" });
  return found;
}

/** Who leads a log from its start loses no output. */
function checkMarks({ reader, events, isDisturbed }: View, { act, logs }: Story): Violation[] {
  const isReplaced = logs.some((log) => log.events.some((e) => e.type === "tool_host_changed"));
  // A twin that was faster leads.
  const hasTwin = act.beside.some(({ kind }) => kind === "twin");
  if (reader !== "lead" || isDisturbed || isReplaced || hasTwin) return [];
  const mark = events.find(({ type }) => type === "trimmed");
  return mark === undefined ? [] : [{ name: "lost output", detail: `up to ${mark.sequence}` }];
}

function checkAgainst(canon: Map<string, SeenEvent>, { executionId, events }: View): Violation[] {
  for (const event of events) {
    if (event.type === "trimmed") continue;
    const key = `${executionId} ${event.sequence}`;
    const known = canon.get(key);
    if (known === undefined || known.type === "trimmed") canon.set(key, event);
    else if (!isSame(known, event)) {
      const detail = `event ${event.sequence}: ${show(event)} where others have ${show(known)}`;
      return [{ name: "foreign event", detail }];
    }
  }
  return [];
}

/** Where only the outcome is remembered, the end has the time of that. */
function isSame(one: SeenEvent, other: SeenEvent): boolean {
  if (one.type !== "finished" || other.type !== "finished") return isDeepStrictEqual(one, other);
  return isDeepStrictEqual(one.outcome, other.outcome);
}

/** An event in a line. */
export function show(event: SeenEvent): string {
  const text = JSON.stringify(event, (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
