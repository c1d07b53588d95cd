import { describe, expect, it } from "vitest";
import type { GuestEvent } from "../../../src/executors/executor.ts";
import { eventsOf, playing, setUpExecutions } from "../../support/executions.ts";

const usage = { cpuMs: 1, peakMemoryBytes: 1, outputBytes: 1 };
const value = { json: "1", text: "1", type: "int", conversions: [], notes: [] };
const ended: GuestEvent = { type: "ended", result: { status: "completed", value }, usage };

/** Counts turns of the event loop until it is stopped. */
function turns() {
  let count = 0;
  let isOver = false;
  const next = () => {
    count += 1;
    if (!isOver) setImmediate(next);
  };
  setImmediate(next);
  return () => {
    isOver = true;
    return count;
  };
}

describe("the events of an execution, which are all at hand", () => {
  it("leave the event loop to others between a few of them, as they are written and read", async () => {
    const output: GuestEvent[] = Array.from({ length: 2_000 }, (_, n) => ({
      type: "output",
      channel: n % 2 === 0 ? "stdout" : "stderr",
      text: "\n",
    }));
    await using t = setUpExecutions({ executor: playing([{ type: "started" }, ...output, ended]) });
    await using execution = t.start("any");
    const stop = turns();
    const events = await eventsOf(execution);
    expect(stop()).toBeGreaterThan(output.length / 10);
    expect(events.length).toBe(output.length + 2);
  });
});
