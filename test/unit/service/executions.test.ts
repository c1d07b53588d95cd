import { describe, expect, it, vi } from "vitest";
import { eventsOf, setUpExecutions as setUp } from "../../support/executions.ts";
import { roomyLimits } from "../../support/requests.ts";
import type { Script } from "../../support/scripted-executor.ts";

describe("an execution", () => {
  it("is its log: started, what the guest wrote, finished with its outcome", async () => {
    const greet: Script = async ({ print }) => {
      await print("hello\n");
      await print("oh\n", "stderr");
      return 4;
    };
    await using t = setUp({ scripts: { greet } });
    await using execution = t.start("greet");
    const events = await eventsOf(execution);
    expect(events).toMatchObject([
      {
        type: "started",
        sequence: 1,
        engine: "scripted",
        instanceId: "i-7",
        executionId: execution.executionId,
        correlationId: "c-1",
        language: "python",
        isolationTier: "T2",
      },
      { type: "output", sequence: 2, channel: "stdout", text: "hello\n" },
      { type: "output", sequence: 3, channel: "stderr", text: "oh\n" },
      {
        type: "finished",
        sequence: 4,
        outcome: {
          status: "completed",
          value: { json: "4" },
          usage: { cpuMs: 1, outputBytes: 9, toolCalls: 0, wallMs: expect.any(Number) },
          isolationTier: "T2",
          engine: "scripted",
          warnings: ["a warning"],
        },
      },
    ]);
    expect(execution.executionId).toMatch(/^i-7-[0-9a-f]{32}$/);
    expect(execution.summary()).toMatchObject({ state: "finished", correlationId: "c-1" });
  });

  it("tells its ids in trailers, and commits the call before the program starts", async () => {
    await using t = setUp({ scripts: { note: () => t.steps.push("run") } });
    await using execution = t.start("note");
    await eventsOf(execution);
    expect(t.steps).toEqual(["commit", "run"]);
    expect([...t.trailers].sort()).toEqual([
      ["x-correlation-id", "c-1"],
      ["x-execution-id", execution.executionId],
    ]);
  });

  it("gives the guest a seed of its own, the one that the log tells", async () => {
    const seed: Script = ({ program }) => String(program.seed);
    await using t = setUp({ scripts: { seed } });
    const seen = new Set<string>();
    for (let run = 0; run < 3; run++) {
      await using execution = t.start("seed");
      const [started, finished] = await eventsOf(execution);
      if (started?.type !== "started" || finished?.type !== "finished") throw new Error("no log");
      expect(finished.outcome).toMatchObject({ value: { text: String(started.seed) } });
      seen.add(String(started.seed));
    }
    expect(seen.size).toBe(3);
  });

  it("shows its state while it waits and while it runs", async () => {
    await using t = setUp({ slots: 1 });
    const started = t.executor.untilStarted("forever");
    await using running = t.start("forever");
    await started;
    await using queued = t.start("forever");
    await vi.waitFor(() => expect(t.dispatcher.stats().queued).toBe(1));
    expect(running.summary()).toMatchObject({ state: "running", startTime: expect.any(Date) });
    expect(queued.summary()).toMatchObject({ state: "queued", startTime: undefined });
  });

  it("slows its guest to the speed of its reader, and loses nothing", async () => {
    let written = 0;
    const flood: Script = async ({ print }) => {
      for (; written < 10_000; written++) await print("x".repeat(1_000));
    };
    await using t = setUp({ scripts: { flood } });
    await using execution = t.start("flood");
    const events = execution.events();
    await events.next();
    await events.next();
    await vi.waitFor(async () => {
      const before = written;
      await new Promise((resolve) => setImmediate(resolve));
      expect(written).toBe(before);
    });
    expect(written).toBeLessThan(1_000);
    let bytes = 1_000;
    for await (const event of events) if (event.type === "output") bytes += event.text.length;
    expect(bytes).toBe(10_000_000);
  });

  it("is over, and its slot is free, whether or not anybody read to the end", async () => {
    await using t = setUp({ scripts: { four: () => 4 } });
    await using execution = t.start("four");
    await execution.over;
    expect(t.dispatcher.stats().inUse).toBe(0);
    expect(await eventsOf(execution)).toHaveLength(2);
  });

  it("refuses tool calls in the log and to the guest, which goes on", async () => {
    const ask: Script = async ({ call }) => await call("weather", '{"a":1}');
    await using t = setUp({ scripts: { ask } });
    await using execution = t.start("ask");
    const events = await eventsOf(execution);
    expect(events.slice(1)).toMatchObject([
      { type: "tool_call", callId: "1", callKey: "/1", tool: "weather", argumentsJson: '{"a":1}' },
      { type: "tool_result", callId: "1", error: { kind: "not_granted" } },
      { type: "finished", outcome: { status: "completed", usage: { toolCalls: 1 } } },
    ]);
  });

  it("counts refused tool calls against its budget", async () => {
    const insist: Script = async ({ call }) => {
      for (;;) await call("weather", "{}");
    };
    await using t = setUp({ scripts: { insist } });
    await using execution = t.start("insist", { limits: { ...roomyLimits, toolCalls: 3 } });
    const events = await eventsOf(execution);
    expect(events.filter(({ type }) => type === "tool_result")).toHaveLength(3);
    expect(events.at(-1)).toMatchObject({ outcome: { error: { reason: "tool_budget" } } });
  });
});
