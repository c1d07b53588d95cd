import { describe, expect, it, vi } from "vitest";
import { Codemode, type StreamEvent } from "../../src/index.ts";
import type { Script } from "../support/scripted-executor.ts";
import { createGate, startCuttable } from "./support/cuttable.ts";
import { roads } from "./support/roads.ts";

/** No log outlives its execution. */
const settings = { retention: { tenant_bytes: 0 } };

/** Prints a line before the gate and two behind it. */
function lines(gate: Promise<void>): Script {
  return async ({ print }) => {
    await print("one\n");
    await gate;
    await print("two\n");
    await print("three\n");
    return "done";
  };
}

describe("a stream whose log was pushed out while it was cut", () => {
  it("has one mark of what was not read, and how the program ended", async () => {
    const gate = createGate();
    await using test = await startCuttable({ lines: lines(gate.opened) }, { settings });
    const execution = test.codemode.stream("lines");
    const events: StreamEvent[] = [];
    let listenAgain = async () => {};
    for await (const event of execution) {
      events.push(event);
      if (event.type !== "output") continue;
      listenAgain = test.proxy.refuse();
      test.proxy.cut();
      await vi.waitFor(() => expect(test.server.stats().connections).toBe(0));
      gate.open();
      await vi.waitFor(() => expect(test.server.stats().known).toBe(0));
      await listenAgain();
    }
    expect(events).toMatchObject([
      { type: "started", sequence: 1 },
      { type: "output", sequence: 2, text: "one\n" },
      { type: "trimmed", sequence: 4, firstSequence: 3, omittedBytes: 10 },
      { type: "finished", sequence: 5, outcome: { status: "completed" } },
    ]);
    expect(await execution.outcome).toMatchObject({
      value: "done",
      stdout: "one\n",
      stdoutOmittedBytes: 10,
    });
    expect(test.executor.started).toEqual(["lines"]);
  });

  it("stays lost where another instance answers, whatever it knows of the request's id", async () => {
    const gate = createGate();
    gate.open();
    const never = createGate();
    await using test = await startCuttable({ lines: lines(never.opened) }, { settings });
    await using other = await startCuttable({ lines: lines(gate.opened) }, { settings });
    const options = { requestId: "r-1" };
    const execution = test.codemode.stream("lines", options);
    const executionId = await execution.id;
    await other.codemode.execute("lines", options);
    test.proxy.retarget(other.server.url);
    test.proxy.cut();
    await expect(execution.outcome).rejects.toMatchObject({ kind: "execution_lost", executionId });
    expect(other.executor.started).toEqual(["lines"]);
  });

  it("stays lost where the execution is known by its own id only", async () => {
    const gate = createGate();
    await using test = await startCuttable({ lines: lines(gate.opened) }, { settings });
    await using direct = Codemode.connect({ url: test.server.url });
    const execution = direct.stream("lines");
    const watched = test.codemode.attach(await execution.id);
    const types: string[] = [];
    const reading = (async () => {
      for await (const { type } of watched) types.push(type);
    })();
    const lost = expect(reading).rejects.toMatchObject({ kind: "execution_lost" });
    await vi.waitFor(() => expect(types).toContain("output"));
    const listenAgain = test.proxy.refuse();
    test.proxy.cut();
    await vi.waitFor(() => expect(test.server.stats().followers).toBe(0));
    gate.open();
    await vi.waitFor(() => expect(test.server.stats().known).toBe(0));
    await listenAgain();
    await lost;
    expect(await execution.outcome).toMatchObject({ value: "done" });
  });
});

describe.each(roads)("a request by $road that was cut off from a log that is gone", ({ run }) => {
  it("has its outcome, and the count of the output that it has not", async () => {
    const prime: Script = () => 0;
    const gate = createGate();
    await using test = await startCuttable({ lines: lines(gate.opened), prime }, { settings });
    await test.codemode.execute("prime");
    const started = test.executor.untilStarted("lines");
    const stalled = test.proxy.stall({ answersOnly: true });
    const result = run(test.codemode, "lines");
    await started;
    const listenAgain = test.proxy.refuse();
    test.proxy.cut();
    stalled[Symbol.dispose]();
    gate.open();
    await vi.waitFor(() => expect(test.server.stats().known).toBe(0));
    await listenAgain();
    expect(await result).toMatchObject({
      status: "completed",
      value: "done",
      stdout: "",
      stdoutOmittedBytes: 14,
      executionId: expect.stringContaining(`${test.server.info().instanceId}-`),
    });
    expect(test.executor.started).toEqual(["prime", "lines"]);
  });

  it("is given by its own id again, with the execution's", async () => {
    const gate = createGate();
    gate.open();
    await using test = await startCuttable({ lines: lines(gate.opened) }, { settings });
    const options = { requestId: "r-1" };
    const first = await run(test.codemode, "lines", options);
    await vi.waitFor(() => expect(test.server.stats().known).toBe(0));
    expect(await run(test.codemode, "lines", options)).toMatchObject({
      executionId: first.executionId,
      value: "done",
      stdoutOmittedBytes: 14,
    });
    expect(test.executor.started).toEqual(["lines"]);
  });
});
