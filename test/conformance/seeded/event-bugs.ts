import type { GuestEvent } from "../../../src/executors/executor.ts";
import { type SeededBug, spoil, spoilEvents } from "./spoil.ts";

const outputText = (text: string): GuestEvent => ({ type: "output", channel: "stdout", text });

/** Bugs in what a run says: events lost, added, reordered or wrong. */
export const eventBugs: readonly SeededBug[] = [
  {
    name: "the last output before the end is lost",
    isInEvery: true,
    subject: "output",
    caughtBy: "keeps the order of many lines",
    plant: (executor) =>
      spoil(executor, {
        async *events(events) {
          let held: GuestEvent | undefined;
          for await (const event of events) {
            if (held !== undefined && event.type !== "ended") yield held;
            held = event.type === "output" ? event : undefined;
            if (held === undefined) yield event;
          }
        },
      }),
  },
  {
    name: "a tool call is lost",
    subject: "tools",
    caughtBy: "are called 200 times in a row",
    plant: (executor) =>
      spoilEvents(
        executor,
        () => (event) => (event.type === "tool_call" && event.call === 100 ? [] : [event]),
      ),
  },
  {
    name: "the reason of the abort is forgotten",
    subject: "ends",
    caughtBy: "a program for the reason that its signal gives: abandoned",
    plant: (executor) =>
      spoilEvents(executor, () => (event) => {
        if (event.type !== "ended" || event.result.status === "completed") return [event];
        const error = { ...event.result.error, reason: "timeout" } as const;
        return [{ ...event, result: { ...event.result, error } }];
      }),
  },
  {
    name: "output is reordered around a tool call",
    subject: "tools",
    caughtBy: "are called with what was printed before ahead of the call",
    plant: (executor) =>
      spoilEvents(executor, () => {
        let held: GuestEvent[] = [];
        return (event) => {
          if (event.type === "output" && held.length === 0) {
            held = [event];
            return [];
          }
          const released = held;
          held = [];
          return event.type === "ended" ? [...released, event] : [event, ...released];
        };
      }),
  },
  {
    name: "lines of output are reordered",
    subject: "output",
    caughtBy: "keeps the order of many lines",
    plant: (executor) =>
      spoilEvents(executor, () => {
        let held: GuestEvent | undefined;
        return (event) => {
          if (event.type === "output") {
            const lines = event.text.split("\n");
            if (lines.length > 2)
              return [outputText([lines[1], lines[0], ...lines.slice(2)].join("\n"))];
            if (held === undefined) {
              held = event;
              return [];
            }
          }
          const released = held === undefined ? [] : [held];
          held = undefined;
          return event.type === "output" ? [event, ...released] : [...released, event];
        };
      }),
  },
  {
    name: "a second end comes after the end",
    subject: "ends",
    caughtBy: "once only: an abort after the end changes nothing",
    plant: (executor) =>
      spoilEvents(executor, () => (event) => (event.type === "ended" ? [event, event] : [event])),
  },
  {
    name: "output comes after the end",
    subject: "output",
    caughtBy: "lets a program write exactly as much as its limit",
    plant: (executor) =>
      spoilEvents(
        executor,
        () => (event) => (event.type === "ended" ? [event, outputText("late")] : [event]),
      ),
  },
  {
    name: "the line of an error is the one before",
    subject: "outcomes",
    caughtBy: "says type, message and line of an exception, within a function",
    plant: (executor) =>
      spoilEvents(executor, () => (event) => {
        if (event.type !== "ended" || event.result.status === "completed") return [event];
        const error = { ...event.result.error, line: Math.max(0, event.result.error.line - 1) };
        return [{ ...event, result: { ...event.result, error } }];
      }),
  },
  {
    name: "an integer becomes a float on its way",
    subject: "outcomes",
    caughtBy: "gives integer exactly",
    plant: (executor) =>
      spoilEvents(executor, () => (event) => {
        if (event.type !== "ended" || event.result.status === "failed") return [event];
        const { json, ...value } = event.result.value;
        const floated = json !== undefined && /^\d+$/.test(json) ? `${json}.0` : json;
        return [{ ...event, result: { ...event.result, value: { ...value, json: floated } } }];
      }),
  },
  {
    name: "arguments are rounded on their way",
    subject: "toolValues",
    caughtBy: "cross exactly both ways: a tenth",
    plant: (executor) =>
      spoilEvents(executor, () => (event) => {
        if (event.type !== "tool_call") return [event];
        const argumentsJson = event.argumentsJson.replace(/0\.1\b/, "0.10000000149011612");
        return [{ ...event, argumentsJson }];
      }),
  },
];
