import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { Codemode, defineTool, type StreamEvent, type ToolInfo } from "../../src/index.ts";
import { collect } from "../support/collect.ts";
import type { Script, ScriptedGuest } from "../support/scripted-executor.ts";
import { createGate, startCuttable } from "./support/cuttable.ts";

const wires = [
  { road: "ExecuteInteractive", transport: "grpc", httpVersion: "2" },
  { road: "SubmitToolResult", transport: "connect", httpVersion: "1.1" },
] as const;

async function valueFrom({ call }: ScriptedGuest, tool: string): Promise<unknown> {
  const result = await call(tool, "{}");
  return "resultJson" in result ? JSON.parse(result.resultJson) : result.error;
}

/** A tool that answers when the test lets it, and remembers its calls. */
function createSlowTool() {
  const gate = createGate();
  const calls: ToolInfo[] = [];
  const tool = defineTool({
    name: "slow",
    description: "Answers in time",
    async execute(_input, info) {
      calls.push(info);
      await gate.opened;
      return calls.length;
    },
  });
  return { tool, calls, answer: gate.open };
}

const typesOf = (events: readonly StreamEvent[]) => events.map(({ type }) => type);

describe.each(wires)("tools by $road over a connection that is cut", (wire) => {
  const { transport, httpVersion } = wire;
  const script: Script = (guest) => valueFrom(guest, "slow");

  it("run on, and their answer is given after the way back, once", async () => {
    await using test = await startCuttable({ script }, { transport, httpVersion });
    const { tool, calls, answer } = createSlowTool();
    const execution = test.codemode.stream("script", { tools: [tool] });
    const events = collect(execution);
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    test.proxy.cut();
    await vi.waitFor(() => expect(test.proxy.accepted).toBeGreaterThan(1));
    answer();
    expect(await execution.outcome).toMatchObject({ value: 1 });
    expect(calls).toHaveLength(1);
    expect(calls[0]?.signal.aborted).toBe(false);
    const expected = ["started", "tool_call", "tool_host_changed", "tool_result", "finished"];
    expect(typesOf(await events)).toEqual(expected);
  });

  it("that have answered while there was no way give their answer after it", async () => {
    await using test = await startCuttable({ script }, { transport, httpVersion });
    const { tool, calls, answer } = createSlowTool();
    const execution = test.codemode.stream("script", { tools: [tool] });
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    const listenAgain = test.proxy.refuse();
    test.proxy.cut();
    await vi.waitFor(() => expect(test.server.stats().connections).toBe(0));
    answer();
    await listenAgain();
    expect(await execution.outcome).toMatchObject({ value: 1 });
    expect(calls).toHaveLength(1);
  });

  it("are not asked again for an answer that arrived unseen, and start the call that came meanwhile", async () => {
    const seen: unknown[] = [];
    const both: Script = async (guest) => {
      seen.push(await valueFrom(guest, "slow"));
      return [...seen, await valueFrom(guest, "slow")];
    };
    await using test = await startCuttable({ both }, { transport, httpVersion });
    const { tool, calls, answer } = createSlowTool();
    const execution = test.codemode.stream("both", { tools: [tool] });
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    const stalled = test.proxy.stall({ answersOnly: true });
    answer();
    await vi.waitFor(() => expect(seen).toEqual([1]));
    expect(calls).toHaveLength(1);
    test.proxy.cut();
    stalled[Symbol.dispose]();
    expect(await execution.outcome).toMatchObject({ value: [1, 2] });
    expect(calls.map(({ callId }) => callId)).toEqual(["1", "2"]);
  });

  it("give answers again that were on the way when it was cut", async () => {
    await using test = await startCuttable({ script }, { transport, httpVersion });
    const { tool, calls, answer } = createSlowTool();
    const execution = test.codemode.stream("script", { tools: [tool] });
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    const stalled = test.proxy.stall();
    answer();
    await vi.waitFor(() => expect(test.proxy.waiting).toBeGreaterThan(0));
    test.proxy.cut();
    stalled[Symbol.dispose]();
    expect(await execution.outcome).toMatchObject({ value: 1 });
    expect(calls).toHaveLength(1);
  });
});

/** Calls with more than 3 MiB of arguments in all, so that one message does not hold them. */
const large = "x".repeat(900_000);
const callCount = 6;
const callAll = async ({ call }: ScriptedGuest) => {
  const answers = Array.from({ length: callCount }, (_, n) =>
    call("size", JSON.stringify({ n, large })),
  );
  return (await Promise.all(answers)).map((answer) => "resultJson" in answer && answer.resultJson);
};
const patience = { timeout: 20_000 };
const inOrder = Array.from({ length: callCount }, (_, n) => n);

/** A tool that says which of the calls it was asked, and remembers them. */
function createSize(gate: Promise<void> = Promise.resolve()) {
  const asked: number[] = [];
  const tool = defineTool({
    name: "size",
    description: "Says which call it was asked",
    inputSchema: z.object({ n: z.number(), large: z.string().length(large.length) }),
    async execute({ n }) {
      asked.push(n);
      await gate;
      return n;
    },
  });
  return { tool, asked };
}

describe.each(wires)(
  "open calls that need several messages, by $road",
  ({ transport, httpVersion }) => {
    it("are answered after the way back, each once, where they came while there was none", async () => {
      const gate = createGate();
      const script: Script = async (guest) => {
        await guest.print("ready");
        await gate.opened;
        return callAll(guest);
      };
      await using test = await startCuttable({ script }, { transport, httpVersion });
      const { tool, asked } = createSize();
      const execution = test.codemode.stream("script", { tools: [tool] });
      const executionId = await execution.id;
      const listenAgain = test.proxy.refuse();
      test.proxy.cut();
      await vi.waitFor(() => expect(test.server.stats().connections).toBe(0), patience);
      // Whoever watches sees when all calls are open.
      await using watcher = Codemode.connect({ url: test.server.url });
      const watched = watcher.attach(executionId)[Symbol.asyncIterator]();
      gate.open();
      for (let open = 0; open < callCount; )
        if ((await watched.next()).value?.type === "tool_call") open += 1;
      await listenAgain();
      expect(await execution.outcome).toMatchObject({ value: inOrder.map(String) });
      expect(asked).toEqual(inOrder);
    });

    it("are answered by whoever attaches next, each once", async () => {
      await using test = await startCuttable({ callAll }, { transport, httpVersion });
      const never = createGate();
      const mine = createSize(never.opened);
      const first = test.codemode.stream("callAll", { tools: [mine.tool] });
      await vi.waitFor(() => expect(mine.asked).toEqual(inOrder), patience);
      await using successor = Codemode.connect({ url: test.server.url, transport, httpVersion });
      const yours = createSize();
      const second = successor.attach(await first.id, { tools: [yours.tool] });
      expect(await second.outcome).toMatchObject({ value: inOrder.map(String) });
      expect(yours.asked).toEqual(inOrder);
      expect(mine.asked).toEqual(inOrder);
    });
  },
);
