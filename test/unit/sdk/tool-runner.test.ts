import { describe, expect, it, vi } from "vitest";
import { ToolRegistry } from "../../../src/sdk/registry.ts";
import { defineTool, type ToolInfo } from "../../../src/sdk/tool.ts";
import { ToolRunner } from "../../../src/sdk/tool-runner.ts";
import type { ToolCall, ToolResult } from "../../../src/shared/model.ts";

const callOf = (callId: string): ToolCall => ({
  callId,
  callKey: `/${callId}`,
  tool: "ask",
  argumentsJson: "{}",
});
const eventOf = (sequence: number, callId: string) =>
  ({ type: "tool_call", sequence, time: new Date(0), attempt: 1, ...callOf(callId) }) as const;
const resultOf = (sequence: number, callId: string) =>
  ({
    type: "tool_result",
    sequence,
    time: new Date(0),
    attempt: 1,
    callId,
    resultJson: "1",
  }) as const;

/** A runner of one tool whose calls the test answers. */
function createRunner() {
  const calls: ToolInfo[] = [];
  const answers: ((value: number) => void)[] = [];
  const ask = defineTool({
    name: "ask",
    description: "Asks the test",
    execute: (_input, info) => {
      calls.push(info);
      return new Promise<number>((resolve) => answers.push(resolve));
    },
  });
  const runner = new ToolRunner({
    tools: new ToolRegistry().register(ask).select(undefined),
    context: {},
    correlationId: "c-1",
    maxBytes: 1024,
    enter: (fn) => fn(),
  });
  const ids = () => calls.map(({ callId }) => callId);
  return { runner, calls, answers, ids };
}

/** A connection, and what went over it. */
function createWay(executionId: string | undefined = "e-1") {
  const sent: ToolResult[] = [];
  return { executionId, sent, send: (result: ToolResult) => void sent.push(result) };
}

describe("a tool runner", () => {
  it("answers calls of a connection by it, each once", async () => {
    const { runner, answers, ids, calls } = createRunner();
    const way = createWay();
    runner.connect(way);
    runner.take(eventOf(2, "1"));
    runner.take(eventOf(2, "1"));
    await vi.waitFor(() => expect(ids()).toEqual(["1"]));
    expect(calls[0]).toMatchObject({ executionId: "e-1", correlationId: "c-1" });
    answers[0]?.(7);
    await vi.waitFor(() => expect(way.sent).toEqual([{ callId: "1", resultJson: "7" }]));
  });

  it("keeps an answer that was given while there was no way for the next one", async () => {
    const { runner, answers, ids } = createRunner();
    runner.connect(createWay());
    runner.take(eventOf(2, "1"));
    await vi.waitFor(() => expect(ids()).toEqual(["1"]));
    runner.disconnect();
    answers[0]?.(7);
    await new Promise((resolve) => setImmediate(resolve));
    const way = createWay();
    runner.connect({ ...way, attached: { lastSequence: 2, openCalls: [callOf("1")] } });
    expect(way.sent).toEqual([{ callId: "1", resultJson: "7" }]);
    expect(ids()).toEqual(["1"]);
  });

  it("does not give an answer again that the service has", async () => {
    const { runner, answers, ids } = createRunner();
    const first = createWay();
    runner.connect(first);
    runner.take(eventOf(2, "1"));
    runner.take(eventOf(3, "2"));
    await vi.waitFor(() => expect(ids()).toEqual(["1", "2"]));
    for (const answer of answers) answer(7);
    await vi.waitFor(() => expect(first.sent).toHaveLength(2));
    runner.take(resultOf(4, "1"));
    runner.disconnect();
    const second = createWay();
    runner.connect({ ...second, attached: { lastSequence: 5, openCalls: [] } });
    runner.disconnect();
    const third = createWay();
    const openCalls = [callOf("1"), callOf("2")];
    runner.connect({ ...third, attached: { lastSequence: 5, openCalls } });
    expect([...second.sent, ...third.sent]).toEqual([]);
  });

  it("starts open calls that are new to it, and none of the history", async () => {
    const { runner, ids } = createRunner();
    const attached = { lastSequence: 9, openCalls: [callOf("4")] };
    runner.connect({ ...createWay(), attached });
    for (const [sequence, callId] of [
      [2, "1"],
      [5, "4"],
      [10, "5"],
    ] as const) {
      runner.take(eventOf(sequence, callId));
    }
    await vi.waitFor(() => expect(ids()).toEqual(["4", "5"]));
  });

  it("gives up every handler when it is closed, with the reason, and starts nothing", async () => {
    const { runner, answers, calls, ids } = createRunner();
    const way = createWay();
    runner.connect(way);
    runner.take(eventOf(2, "1"));
    await vi.waitFor(() => expect(ids()).toEqual(["1"]));
    runner.close("another reader answers the calls now");
    expect(calls[0]?.signal.reason).toMatchObject({
      message: "another reader answers the calls now",
      executionId: "e-1",
    });
    answers[0]?.(7);
    runner.take(eventOf(3, "2"));
    runner.connect({ ...createWay(), attached: { lastSequence: 3, openCalls: [callOf("3")] } });
    await new Promise((resolve) => setImmediate(resolve));
    expect(way.sent).toEqual([]);
    expect(ids()).toEqual(["1"]);
  });
});
