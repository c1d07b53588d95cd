import { inspect } from "node:util";
import { show } from "./check-views.ts";
import type { SeenEvent, Story } from "./story.ts";

/** A story with its whole logs and views, for whoever looks for the cause of a violation. */
export function describeStory(story: Story): string {
  const { act, tenant, views, logs, effects, begins, executions, notes, answers, probes } = story;
  const isoTime = (at: number) => new Date(at).toISOString().slice(11);
  return [
    `  act ${inspect(act, { depth: 5, breakLength: 160 })}`,
    `  tenant ${tenant}, ${isoTime(story.startedAt)} to ${isoTime(story.endedAt)}, deeds ${[...story.deeds].join(", ")}`,
    ...notes.map((text) => `  note ${text}`),
    `  began as ${begins.join(", ") || "nothing"}`,
    ...executions.map(
      ({ executionId, state, outcome, startTime, endTime }) =>
        `  execution ${executionId} ${state} ${startTime?.toISOString()} ${endTime?.toISOString()} ${inspect(outcome, { breakLength: Infinity })}`,
    ),
    ...effects.map((effect) => `  effect ${isoTime(effect.at)} ${JSON.stringify(effect)}`),
    ...probes.map((probe) => `  probe ${JSON.stringify(probe)}`),
    ...answers.map(
      ({ stdout, ...rest }) =>
        `  answer ${inspect({ ...rest, stdout: stdout.slice(0, 200) }, { breakLength: Infinity })}`,
    ),
    ...views.flatMap(({ events, ...view }) => [
      `  view ${inspect(view, { breakLength: Infinity })}`,
      ...lines(events),
    ]),
    ...logs.flatMap(({ events, ...log }) => [`  log ${inspect(log)}`, ...lines(events)]),
  ].join("\n");
}

const mostLines = 60;

function lines(events: readonly SeenEvent[]): string[] {
  const texts = events.map(
    (event) => `    ${event.sequence} ${event.time.toISOString().slice(11)} ${show(event)}`,
  );
  if (texts.length <= mostLines) return texts;
  const half = mostLines / 2;
  return [
    ...texts.slice(0, half),
    `    ... ${texts.length - mostLines} more`,
    ...texts.slice(-half),
  ];
}
