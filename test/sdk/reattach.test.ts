import { describe, expect, it, vi } from "vitest";
import type { Execution, StreamEvent } from "../../src/index.ts";
import { forever, type Script } from "../support/scripted-executor.ts";
import { createGate, startCuttable } from "./support/cuttable.ts";
import { stable } from "./support/stable.ts";

/** Prints ten lines; waits after the fifth until the gate opens. */
function lines(gate: Promise<void>): Script {
  return async ({ print }) => {
    for (let line = 1; line <= 10; line++) {
      await print(`${line}\n`);
      if (line === 5) await gate;
    }
    return "done";
  };
}

const roads = [
  { transport: "grpc", httpVersion: "2" },
  { transport: "connect", httpVersion: "2" },
  { transport: "connect", httpVersion: "1.1" },
  { transport: "grpc-web", httpVersion: "1.1" },
] as const;

const textOf = (events: readonly StreamEvent[]) =>
  events.map((event) => (event.type === "output" ? event.text : "")).join("");

const expected = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

/** Reads events until the text of all of them ends so. */
async function readTo(execution: Execution<unknown>, end: string, events: StreamEvent[]) {
  const iterator = execution[Symbol.asyncIterator]();
  while (!textOf(events).endsWith(end)) {
    const step = await iterator.next();
    if (step.done) break;
    events.push(step.value);
  }
}

async function readOut(execution: Execution<unknown>, events: StreamEvent[]) {
  for await (const event of execution) events.push(event);
}

describe.each(roads)("a stream over $transport and HTTP/$httpVersion that is cut", (wire) => {
  it("goes on where it was: each event once, in order, and the program runs once", async () => {
    const gate = createGate();
    await using test = await startCuttable({ lines: lines(gate.opened) }, wire);
    const events: StreamEvent[] = [];
    const execution = test.codemode.stream("lines");
    await readTo(execution, "5\n", events);
    test.proxy.cut();
    gate.open();
    await readOut(execution, events);
    expect(textOf(events)).toBe(expected);
    const sequences = events.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: "finished" });
    expect(await execution.outcome).toMatchObject({ value: "done", stdout: expected });
    expect(test.executor.started).toEqual(["lines"]);
  });
});

describe("a stream", () => {
  it("that is cut again and again still gives everything once", async () => {
    const script: Script = async ({ print }) => {
      for (let line = 1; line <= 20; line++) await print(`${line}\n`);
      await gate.opened;
      return 1;
    };
    const gate = createGate();
    await using test = await startCuttable({ script });
    const execution = test.codemode.stream("script");
    const events: StreamEvent[] = [];
    for await (const event of execution) {
      events.push(event);
      if (event.type === "output" || event.type === "tool_host_changed") {
        if (test.proxy.accepted < 6) test.proxy.cut();
        else gate.open();
      }
    }
    const sequences = events.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    expect(await execution.outcome).toMatchObject({ value: 1 });
    expect(test.proxy.accepted).toBeGreaterThanOrEqual(6);
  });

  it("is waited for while nobody listens, as long as the program is kept", async () => {
    const gate = createGate();
    await using test = await startCuttable({ lines: lines(gate.opened) });
    const execution = test.codemode.stream("lines");
    await execution.id;
    const listenAgain = test.proxy.refuse();
    test.proxy.cut();
    const events: StreamEvent[] = [];
    const reading = readOut(execution, events);
    await vi.waitFor(() => expect(test.server.stats().connections).toBe(0));
    gate.open();
    await listenAgain();
    await reading;
    expect(textOf(events)).toBe(expected);
  });

  it("finds a program abandoned to which it came back too late", async () => {
    await using test = await startCuttable({ forever });
    const execution = test.codemode.stream("forever", { keepWithoutReaderMs: 20 });
    await execution.id;
    const killed = test.executor.untilKilled("forever");
    const listenAgain = test.proxy.refuse();
    test.proxy.cut();
    const outcome = execution.outcome;
    await killed;
    await listenAgain();
    expect(await outcome).toMatchObject({ status: "failed", error: { reason: "abandoned" } });
  });

  it("is bounded by its deadline while it is cut, too", async () => {
    await using test = await startCuttable({ forever });
    const execution = test.codemode.stream("forever", { timeoutMs: 300 });
    const executionId = await execution.id;
    const listenAgain = test.proxy.refuse();
    test.proxy.cut();
    await expect(execution.outcome).rejects.toMatchObject({
      kind: "deadline_exceeded",
      executionId,
    });
    await listenAgain();
    await test.codemode.cancelExecution(executionId);
  });

  it("is lost when another instance answers, and does not run there", async () => {
    await using test = await startCuttable({ forever });
    await using other = await startCuttable({ forever });
    const execution = test.codemode.stream("forever");
    const executionId = await execution.id;
    test.proxy.retarget(other.server.url);
    test.proxy.cut();
    await expect(execution.outcome).rejects.toMatchObject({ kind: "execution_lost", executionId });
    expect(other.executor.started).toEqual([]);
    test.proxy.retarget(test.server.url);
    test.proxy.cut();
    await test.codemode.cancelExecution(executionId);
  });

  it("is lost when patience ends, which is as long as the program is kept", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      await using test = await startCuttable({ forever });
      const execution = test.codemode.stream("forever");
      await execution.id;
      const listenAgain = test.proxy.refuse();
      test.proxy.cut();
      const failed = expect(execution.outcome).rejects.toMatchObject({ kind: "execution_lost" });
      await vi.waitFor(() => expect(test.server.stats().connections).toBe(0));
      vi.advanceTimersByTime(10_001);
      await failed;
      await listenAgain();
      await test.codemode.cancelExecution(await execution.id);
    } finally {
      vi.useRealTimers();
    }
  });

  it("makes the program wait for a slow loop after it was cut as before, and loses nothing", async () => {
    const blocks = 512;
    const text = "x".repeat(64 * 1024);
    const gate = createGate();
    let printed = 0;
    const script: Script = async ({ print }) => {
      for (; printed < blocks; printed++) {
        if (printed === 1) await gate.opened;
        await print(text);
      }
    };
    await using test = await startCuttable({ script });
    const execution = test.codemode.stream("script", { limits: { outputBytes: 1024 ** 3 } });
    let bytes = 0;
    for await (const event of execution) {
      expect(event.type).not.toBe("trimmed");
      if (event.type === "started") test.proxy.cut();
      if (event.type === "output") bytes += event.text.length;
      if (event.type !== "tool_host_changed") continue;
      gate.open();
      await stable(() => printed);
      expect(printed).toBeLessThan(blocks / 2);
    }
    expect(bytes).toBe(blocks * text.length);
    expect(test.proxy.accepted).toBe(2);
  });

  it("is come back to before a loop that takes its time asks for more", async () => {
    const gate = createGate();
    await using test = await startCuttable({ lines: lines(gate.opened) });
    const execution = test.codemode.stream("lines", { keepWithoutReaderMs: 1_000 });
    const events: StreamEvent[] = [];
    for await (const event of execution) {
      events.push(event);
      if (event.type !== "started") continue;
      test.proxy.cut();
      await vi.waitFor(() => expect(test.proxy.accepted).toBe(2));
      await vi.waitFor(() => expect(test.server.stats().followers).toBe(1));
      gate.open();
    }
    expect(textOf(events)).toBe(expected);
    expect(await execution.outcome).toMatchObject({ value: "done" });
  });

  it("is cancelled by leaving it while it is cut, once the service can be reached", async () => {
    await using test = await startCuttable({ forever });
    const execution = test.codemode.stream("forever");
    await execution.id;
    const killed = test.executor.untilKilled("forever");
    test.proxy.cut();
    await execution.cancel();
    expect(await execution.outcome).toMatchObject({ error: { reason: "cancelled" } });
    await killed;
  });
});
