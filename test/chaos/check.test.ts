import { describe, expect, it } from "vitest";
import type { ExecutionEvent } from "../../src/shared/model.ts";
import {
  addEffect,
  addView,
  completed,
  eventAt,
  failedWith,
  goodLog,
  goodStory,
  namesOf,
  withLog,
  withOutcome,
} from "./history.ts";
import { Ledger } from "./ledger.ts";
import type { Story } from "./story.ts";

function renumbered(events: readonly ExecutionEvent[]): ExecutionEvent[] {
  return events.map((event, index) => ({ ...event, sequence: index + 1 }));
}

const without = (sequence: number) => (log: ExecutionEvent[]) =>
  log.filter((event) => event.sequence !== sequence);

const twice = (sequence: number) => (log: ExecutionEvent[]) =>
  log.flatMap((event) => (event.sequence === sequence ? [event, event] : [event]));

describe("the checker", () => {
  it("finds nothing in a history that is as it should be", () => {
    expect(namesOf(goodStory())).toEqual([]);
  });

  it.each<[string, string, () => Story]>([
    ["a gap in a log", "gap", () => withLog(without(4))],
    ["an event that a log has twice", "duplicate", () => withLog(twice(4))],
    ["a log without an end", "no end", () => withLog((log) => log.slice(0, -1))],
    [
      "a log with two ends",
      "two finished",
      () => withLog((log) => renumbered([...log, ...log.slice(-1)])),
    ],
    [
      "an event after the end",
      "no end",
      () => withLog((log) => renumbered([...log.slice(0, 3), ...log.slice(7), ...log.slice(3, 7)])),
    ],
    [
      "a program that starts twice in a log",
      "double run",
      () => withLog((log) => renumbered([...log.slice(0, 1), ...log])),
    ],
    [
      "a result without its call",
      "result without a call",
      () => withLog((log) => renumbered(without(5)(log))),
    ],
    [
      "a call that is answered twice",
      "double result",
      () => withLog((log) => renumbered(twice(6)(log))),
    ],
    [
      "a call that is never answered",
      "call without a result",
      () => withLog((log) => renumbered(without(6)(log))),
    ],
    ["output that is lost", "lost output", () => withLog((log) => renumbered(without(7)(log)))],
    [
      "output in another order",
      "wrong text",
      () =>
        withLog((log) =>
          renumbered([
            ...log.slice(0, 3),
            ...log.slice(6, 7),
            ...log.slice(4, 6),
            ...log.slice(3, 4),
            ...log.slice(7),
          ]),
        ),
    ],
    [
      "another program's output",
      "foreign text",
      () =>
        withLog((log) =>
          log.with(3, eventAt(4, { type: "output", channel: "stdout", text: "t2 00000000\n" })),
        ),
    ],
    [
      "a program that began twice",
      "double run",
      () => {
        const story = goodStory();
        story.begins.push("i-1");
        return story;
      },
    ],
    [
      "a request that ran as two executions",
      "double run",
      () => {
        const story = goodStory();
        story.begins.splice(0, 1, "i-2");
        return story;
      },
    ],
    [
      "an effect without a call",
      "effect without a call",
      () => {
        const story = goodStory();
        addEffect(story, { callId: "3" });
        return story;
      },
    ],
    [
      "an effect that one host has twice",
      "double effect",
      () => {
        const story = goodStory();
        addEffect(story);
        return story;
      },
    ],
    [
      "an effect at two hosts of which the log knows one",
      "double effect",
      () => {
        const story = goodStory();
        addEffect(story, { host: "another" });
        return story;
      },
    ],
    [
      "an effect under another tenant's context",
      "foreign context",
      () => {
        const story = goodStory();
        story.effects.length = 0;
        addEffect(story, { context: { token: "t1", tenant: "blue" } });
        return story;
      },
    ],
    [
      "an effect of another program",
      "foreign effect",
      () => {
        const story = goodStory();
        addEffect(story, { token: "t2" });
        return story;
      },
    ],
    [
      "a value of another program",
      "foreign value",
      () => withOutcome(completed('["t2",["t2/0"]]')),
    ],
    ["an answer of another call", "wrong value", () => withOutcome(completed('["t1",["t1/1"]]'))],
    ["a crash that nothing explains", "unexplained end", () => withOutcome(failedWith("crashed"))],
    [
      "a timeout that nothing explains",
      "unexplained end",
      () => withOutcome(failedWith("timeout")),
    ],
    [
      "a cancellation that nobody asked for",
      "unexplained end",
      () => withOutcome(failedWith("cancelled")),
    ],
    [
      "two readers that are told different ends",
      "two outcomes",
      () => {
        const story = goodStory();
        const [view] = story.views;
        if (view !== undefined) view.result = { status: "completed", value: ["t2"] };
        return story;
      },
    ],
    [
      "a status without a reason",
      "unexplained status",
      () => {
        const story = goodStory();
        for (const view of story.views) {
          view.end = { how: "failed", kind: "internal", message: "", retryAfterMs: 1 };
        }
        return story;
      },
    ],
    [
      "an execution of another tenant that is found",
      "wrong answer",
      () => {
        const story = goodStory();
        story.probes.push({ what: "snoop get", status: "ok", allowed: ["not_found"] });
        return story;
      },
    ],
  ])("names %s: %s", (_what, name, make) => {
    expect(namesOf(make())).toContain(name);
  });

  it("lets a call be made again at the next tool host, and a reader go on where it was", () => {
    const log = goodLog();
    const changed = renumbered([
      ...log.slice(0, 5),
      eventAt(6, { type: "tool_host_changed", host: 2 }),
      ...log.slice(5),
    ]);
    const story = goodStory(changed);
    addEffect(story, { host: "next" });
    addView(story, changed.slice(4), { reader: "next", afterSequence: 4 });
    expect(namesOf(story)).toEqual([]);
  });

  it("accounts for output that a log no longer has", () => {
    const trimmed = goodLog().with(
      3,
      eventAt(4, { type: "trimmed", firstSequence: 4, omittedBytes: 12 }),
    );
    const story = goodStory(trimmed);
    story.views.length = 0;
    addView(story, trimmed, { reader: "watch" });
    expect(namesOf(story)).toEqual([]);
  });
});

describe("the ledger", () => {
  it("names an effect of a program whose story is over, and one under a foreign context", () => {
    const ledger = new Ledger();
    const { act } = goodStory();
    const story = ledger.open(act, "red");
    ledger.begin("t1", { executionId: "i-1", context: { token: "t1", tenant: "blue" } });
    ledger.close(story);
    ledger.begin("t1", { executionId: "i-2", context: { token: "t1", tenant: "red" } });
    expect(ledger.strays().map(({ name }) => name)).toEqual(["foreign context", "late effect"]);
  });

  it("names a request id under which two programs ran", () => {
    const ledger = new Ledger();
    const { act } = goodStory();
    const first = ledger.open(act, "red");
    ledger.begin("t1", { executionId: "i-1", context: { token: "t1", tenant: "red" } });
    expect(ledger.close(first)).toEqual([]);
    const rival = ledger.open({ ...act, token: "t2" }, "red");
    ledger.begin("t2", { executionId: "i-2", context: { token: "t2", tenant: "red" } });
    expect(ledger.close(rival)).toMatchObject([{ name: "double run" }]);
  });
});
