import { describe, expect, it } from "vitest";
import type { ExecutionEvent } from "../../src/shared/model.ts";
import { checkStory } from "./check.ts";
import { addView, eventAt, goodLog, goodStory } from "./history.ts";
import type { Story } from "./story.ts";

/** A story whose log is good, and whose only reader saw something else. */
function withView(change: (log: ExecutionEvent[]) => ExecutionEvent[]): Story {
  const story = goodStory();
  story.views.length = 0;
  addView(story, change(goodLog()));
  return story;
}

const without = (sequence: number) => (log: ExecutionEvent[]) =>
  log.filter((event) => event.sequence !== sequence);

const twice = (sequence: number) => (log: ExecutionEvent[]) =>
  log.flatMap((event) => (event.sequence === sequence ? [event, event] : [event]));

/** The last two events change places in what a reader saw. */
const swapped = (log: ExecutionEvent[]) => [
  ...log.slice(0, 3),
  ...log.slice(4, 5),
  ...log.slice(3, 4),
  ...log.slice(5),
];

describe("the checker of what readers saw", () => {
  it.each<[string, string, () => Story]>([
    ["an event that a reader missed", "gap", () => withView(without(4))],
    ["an event that a reader got twice", "duplicate", () => withView(twice(6))],
    ["events that a reader got in another order", "gap", () => withView(swapped)],
    [
      "a reader whose stream ends without the end",
      "lost end",
      () => withView((log) => log.slice(0, 6)),
    ],
    [
      "a reader that sees another value than the log has",
      "foreign event",
      () =>
        withView((log) =>
          log.with(5, eventAt(6, { type: "tool_result", callId: "2", resultJson: '"t2/0"' })),
        ),
    ],
    [
      "output that the leading reader lost",
      "lost output",
      () =>
        withView((log) =>
          log.with(3, eventAt(4, { type: "trimmed", firstSequence: 4, omittedBytes: 12 })),
        ),
    ],
    [
      "an event that is lost after a re-attachment",
      "gap",
      () => {
        const story = goodStory();
        addView(story, goodLog().slice(5), { reader: "back", afterSequence: 4 });
        return story;
      },
    ],
    [
      "an event that comes again after a re-attachment",
      "duplicate",
      () => {
        const story = goodStory();
        addView(story, goodLog().slice(3), { reader: "back", afterSequence: 4 });
        return story;
      },
    ],
    [
      "a reader that never came to an end",
      "hung reader",
      () => {
        const story = goodStory();
        for (const view of story.views) view.end = undefined;
        return story;
      },
    ],
  ])("names %s: %s", (_what, name, make) => {
    const found = checkStory(make(), { endedForMs: 1_000, blows: [] });
    expect(found.map((violation) => violation.name)).toContain(name);
  });
});
