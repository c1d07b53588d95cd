import { describe, expect, it, vi } from "vitest";
import { defineTool, type ToolInfo } from "../../src/index.ts";
import { collect } from "../support/collect.ts";
import { forever, type Script } from "../support/scripted-executor.ts";
import { createGate, startCuttable } from "./support/cuttable.ts";

const hello: Script = async ({ print }) => {
  await print("hello\n");
  return 4;
};

/** Calls `ask` twice, waiting for the gate in between. */
function asking(gate: Promise<void>): Script {
  return async ({ call }) => {
    const first = await call("ask", "{}");
    await gate;
    const second = await call("ask", "{}");
    return [first, second].map((answer) => ("resultJson" in answer ? answer.resultJson : "?"));
  };
}

function createAsk() {
  const calls: ToolInfo[] = [];
  const tool = defineTool({
    name: "ask",
    description: "Counts",
    execute: (_input, info) => calls.push(info),
  });
  return { tool, calls };
}

describe("a request with the caller's own id", () => {
  it("gives the same execution again, whichever way it is asked for", async () => {
    await using test = await startCuttable({ hello });
    const options = { requestId: "r-1" };
    const first = await test.codemode.execute("hello", options);
    expect(first).toMatchObject({ value: 4, stdout: "hello\n" });
    const again = await test.codemode.execute("hello", options);
    expect(again).toMatchObject({ ...first, usage: expect.anything() });
    const stream = test.codemode.stream("hello", options);
    expect((await collect(stream)).map(({ type }) => type)).toEqual([
      "started",
      "output",
      "finished",
    ]);
    expect(await stream.outcome).toMatchObject({ executionId: first.executionId, value: 4 });
    expect(test.executor.started).toEqual(["hello"]);
  });

  it("runs a program once for callers that come at the same time", async () => {
    await using test = await startCuttable({ hello });
    const results = await Promise.all(
      Array.from({ length: 5 }, () => test.codemode.execute("hello", { requestId: "r-1" })),
    );
    expect(new Set(results.map(({ executionId }) => executionId)).size).toBe(1);
    expect(test.executor.started).toEqual(["hello"]);
  });

  it("is refused for another program, with tools and without", async () => {
    await using test = await startCuttable({ hello, other: hello });
    const { tool } = createAsk();
    await test.codemode.execute("hello", { requestId: "r-1" });
    await test.codemode.execute("hello", { requestId: "r-2", tools: [tool] });
    for (const options of [{ requestId: "r-1" }, { requestId: "r-2", tools: [tool] }]) {
      const expected = { kind: "already_exists", message: expect.stringContaining("code") };
      await expect(test.codemode.execute("other", options)).rejects.toMatchObject(expected);
      await expect(test.codemode.stream("other", options).outcome).rejects.toMatchObject(expected);
    }
    expect(test.executor.started).toEqual(["hello", "hello"]);
  });

  it("has its tools answered when two callers of one job come at the same moment", async () => {
    const gate = createGate();
    gate.open();
    for (let round = 0; round < 10; round += 1) {
      await using test = await startCuttable({ ask: asking(gate.opened) });
      const asks = [createAsk(), createAsk()];
      const options = { requestId: "r-1", correlationId: "job-1", limits: { waitMs: 2_000 } };
      const outcomes = await Promise.all(
        asks.map(({ tool }) => test.codemode.stream("ask", { ...options, tools: [tool] }).outcome),
      );
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: "completed" });
      expect(asks.flatMap(({ calls }) => calls).length).toBeGreaterThan(1);
      expect(test.executor.started).toEqual(["ask"]);
    }
  });

  it("takes over the tools of a program that runs: open calls, and none of those before", async () => {
    const gate = createGate();
    await using test = await startCuttable({ ask: asking(gate.opened) });
    const mine = createAsk();
    const yours = createAsk();
    // As a process does that is started again for the same job.
    const options = { requestId: "r-1", correlationId: "job-1", keepWithoutReaderMs: 60_000 };
    const first = test.codemode.stream("ask", { ...options, tools: [mine.tool] });
    await vi.waitFor(() => expect(mine.calls).toHaveLength(1));
    const second = test.codemode.stream("ask", { ...options, tools: [yours.tool] });
    const types: string[] = [];
    for await (const event of second) {
      types.push(event.type);
      if (event.type === "tool_host_changed") gate.open();
    }
    expect(await second.outcome).toMatchObject({ value: ["1", "1"] });
    expect(mine.calls.map(({ callId }) => callId)).toEqual(["1"]);
    expect(yours.calls.map(({ callId }) => callId)).toEqual(["2"]);
    expect(types[0]).toBe("started");
    expect(types.at(-1)).toBe("finished");
    expect(await first.outcome).toMatchObject({ value: ["1", "1"] });
    const third = createAsk();
    const ended = await test.codemode.execute("ask", { ...options, tools: [third.tool] });
    expect(ended).toMatchObject({ value: ["1", "1"] });
    expect(third.calls).toEqual([]);
    expect(test.executor.started).toEqual(["ask"]);
  });

  it("has one tool host where callers come at the same time", async () => {
    await using test = await startCuttable({ ask: asking(Promise.resolve()) });
    const options = { requestId: "r-1" };
    const asks = Array.from({ length: 4 }, createAsk);
    const results = await Promise.all(
      asks.map(({ tool }) => test.codemode.execute("ask", { ...options, tools: [tool] })),
    );
    expect(new Set(results.map(({ executionId }) => executionId)).size).toBe(1);
    expect(results[0]).toMatchObject({ status: "completed" });
    expect(test.executor.started).toEqual(["ask"]);
  });

  it("is refused before anything is sent where it is none", async () => {
    await using test = await startCuttable({ hello });
    for (const requestId of ["", "a b", "x".repeat(129)]) {
      await expect(test.codemode.execute("hello", { requestId })).rejects.toMatchObject({
        kind: "invalid_request",
        violations: [{ field: "requestId" }],
      });
    }
  });
});

describe("keepWithoutReaderMs", () => {
  it("is 10 s where nothing is said, and at most what the service grants", async () => {
    const settings = { max_limits: { wall_ms: 4_000 }, default_limits: { wall_ms: 4_000 } };
    await using test = await startCuttable({ forever }, { settings });
    expect(await test.codemode.serverInfo()).toMatchObject({ maxKeepWithoutReaderMs: 4_000 });
    const execution = test.codemode.stream("forever");
    await execution.id;
    await execution.cancel();
    expect(await execution.outcome).toMatchObject({ error: { reason: "cancelled" } });
    await expect(
      test.codemode.execute("forever", { keepWithoutReaderMs: 5_000 }),
    ).rejects.toMatchObject({ kind: "invalid_request" });
  });

  it("of 0 ends a program with its connection, and the outcome says so", async () => {
    await using test = await startCuttable({ forever });
    const execution = test.codemode.stream("forever", { keepWithoutReaderMs: 0 });
    await execution.id;
    test.proxy.cut();
    expect(await execution.outcome).toMatchObject({ error: { reason: "cancelled" } });
  });
});

describe("leaving a program that has not been heard of", () => {
  it("cancels it on the server by the id of its request: a signal, and closing the client", async () => {
    await using test = await startCuttable({ forever, hello });
    await test.codemode.execute("hello");
    for (const run of ["execute", "stream"] as const) {
      for (const end of ["signal", "close"] as const) {
        const bound = test.codemode.with({});
        const controller = new AbortController();
        const started = test.executor.untilStarted("forever");
        const killed = test.executor.untilKilled("forever");
        using stalled = test.proxy.stall({ answersOnly: true });
        const options = { signal: controller.signal, keepWithoutReaderMs: 20_000 };
        const call =
          run === "execute"
            ? bound.execute("forever", options)
            : bound.stream("forever", options).outcome;
        const settled = call.catch((error: unknown) => error);
        await started;
        const closing = end === "signal" ? controller.abort() : bound.close();
        stalled[Symbol.dispose]();
        expect(await killed).toMatchObject({ reason: "cancelled" });
        await closing;
        await settled;
      }
    }
  });
});
