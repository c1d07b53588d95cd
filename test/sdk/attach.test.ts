import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { Codemode, defineTool, getContext, type ToolInfo } from "../../src/index.ts";
import { collect } from "../support/collect.ts";
import { forever, type Script, type ScriptedGuest } from "../support/scripted-executor.ts";
import { createGate, startCuttable } from "./support/cuttable.ts";

async function valueFrom({ call }: ScriptedGuest, tool: string): Promise<unknown> {
  const result = await call(tool, "{}");
  return "resultJson" in result ? JSON.parse(result.resultJson) : result.error;
}

const hello: Script = async ({ print }) => {
  await print("hello\n");
  return 4;
};

const twice: Script = async (guest) => [
  await valueFrom(guest, "ask"),
  await valueFrom(guest, "ask"),
];

/** A tool that says who answers, when the test lets it. */
function createAsk(answer: string, gate: Promise<void> = Promise.resolve()) {
  const calls: ToolInfo[] = [];
  const tool = defineTool({
    name: "ask",
    description: "Says who answers",
    async execute(_input, info) {
      calls.push(info);
      await gate;
      return `${answer} for ${getContext().client_id}`;
    },
  });
  return { tool, calls };
}

/** Prints a line before the gate and one behind it. */
function oneAndTwo(gate: Promise<void>): Script {
  return async ({ print }) => {
    await print("1\n");
    await gate;
    await print("2\n");
    return 2;
  };
}

const keepWithoutReaderMs = 60_000;

describe("attach", () => {
  it("follows an execution that has ended, as its own stream did", async () => {
    await using test = await startCuttable({ hello });
    const first = test.codemode.stream("hello", { correlationId: "c-1" });
    const events = await collect(first);
    const executionId = await first.id;
    const again = test.codemode.attach(executionId, { output: z.number() });
    expect(await again.id).toBe(executionId);
    expect(await collect(again)).toEqual(events);
    expect(await again.outcome).toEqual(await first.outcome);
  });

  it("gives what came after a sequence, and the outcome also after the last", async () => {
    await using test = await startCuttable({ hello });
    const { executionId } = await test.codemode.execute("hello");
    const second = test.codemode.attach(executionId, { afterSequence: 1 });
    expect((await collect(second)).map(({ sequence }) => sequence)).toEqual([2, 3]);
    const none = test.codemode.attach(executionId, { afterSequence: 3 });
    expect(await collect(none)).toEqual([]);
    expect(await none.outcome).toMatchObject({ status: "completed", value: 4, executionId });
    await expect(
      test.codemode.attach(executionId, { afterSequence: 4 }).outcome,
    ).rejects.toMatchObject({ kind: "out_of_range" });
  });

  it("rejects for an id that is unknown", async () => {
    await using test = await startCuttable({ hello });
    const execution = test.codemode.attach("nothing");
    const expected = { kind: "not_found" };
    await expect(execution.outcome).rejects.toMatchObject(expected);
    await expect(collect(test.codemode.attach("nothing"))).rejects.toMatchObject(expected);
  });

  it("rejects options that cannot be right", async () => {
    await using codemode = Codemode.connect({ url: "http://127.0.0.1:9" });
    const { tool } = createAsk("me");
    for (const [options, field] of [
      [{ afterSequence: -1 }, "afterSequence"],
      [{ answerTools: false, tools: [tool] }, "tools"],
      [{ timeoutMs: 0 }, "timeoutMs"],
      [{ context: { id: Number.NaN } }, "context.id"],
    ] as const) {
      await expect(codemode.attach("x", options).outcome).rejects.toMatchObject({
        kind: "invalid_request",
        violations: [{ field }],
      });
    }
  });

  it("leaves the program running when it is left, in whatever way", async () => {
    const gate = createGate();
    const waiting: Script = async ({ print }) => {
      await print("ready\n");
      await gate.opened;
      return "done";
    };
    await using test = await startCuttable({ waiting });
    const first = test.codemode.stream("waiting");
    const executionId = await first.id;
    for await (const event of test.codemode.attach(executionId)) {
      if (event.type === "output") break;
    }
    {
      await using watched = test.codemode.attach(executionId);
      await watched[Symbol.asyncIterator]().next();
    }
    const controller = new AbortController();
    const aborted = test.codemode.attach(executionId, { signal: controller.signal });
    await aborted[Symbol.asyncIterator]().next();
    controller.abort();
    await expect(aborted.outcome).rejects.toMatchObject({ kind: "cancelled" });
    const bound = test.codemode.with({});
    const closed = bound.attach(executionId);
    await closed[Symbol.asyncIterator]().next();
    await bound.close();
    await expect(closed.outcome).rejects.toMatchObject({ kind: "cancelled" });
    gate.open();
    expect(await first.outcome).toMatchObject({ value: "done" });
  });

  it("ends the program by cancel()", async () => {
    await using test = await startCuttable({ forever });
    const first = test.codemode.stream("forever");
    const watched = test.codemode.attach(await first.id);
    await watched.cancel();
    const expected = { error: { reason: "cancelled" } };
    expect(await watched.outcome).toMatchObject(expected);
    expect(await first.outcome).toMatchObject(expected);
  });

  it("goes on by itself after its connection is cut", async () => {
    const gate = createGate();
    await using test = await startCuttable({ waiting: oneAndTwo(gate.opened) });
    await using direct = Codemode.connect({ url: test.server.url });
    const first = direct.stream("waiting");
    const watched = test.codemode.attach(await first.id);
    const types: string[] = [];
    for await (const event of watched) {
      types.push(event.type);
      if (event.type !== "output" || types.length > 2) continue;
      test.proxy.cut();
      gate.open();
    }
    expect(types).toEqual(["started", "output", "output", "finished"]);
    expect(await first.outcome).toMatchObject({ value: 2 });
  });

  it("misses nothing of a program that ended while its connection was lost once more", async () => {
    const gate = createGate();
    await using test = await startCuttable({ waiting: oneAndTwo(gate.opened) });
    await using direct = Codemode.connect({ url: test.server.url });
    const first = direct.stream("waiting");
    const watched = test.codemode.attach(await first.id);
    const types: string[] = [];
    for await (const event of watched) {
      types.push(event.type);
      if (types.length !== 2) continue;
      test.proxy.cut();
      await vi.waitFor(() => expect(test.proxy.accepted).toBe(2));
      await vi.waitFor(() => expect(test.server.stats().followers).toBe(1));
      const stalled = test.proxy.stall({ answersOnly: true });
      gate.open();
      await first.outcome;
      test.proxy.cut();
      stalled[Symbol.dispose]();
    }
    expect(types).toEqual(["started", "output", "output", "finished"]);
  });

  it("only watches without tools: the calls stay with whoever answered them", async () => {
    const gate = createGate();
    await using test = await startCuttable({ twice });
    const mine = createAsk("first", gate.opened);
    const registered = createAsk("nobody");
    const first = test.codemode.with({ client_id: "acme" }).stream("twice", { tools: [mine.tool] });
    const executionId = await first.id;
    test.codemode.registry.register(registered.tool);
    const watched = collect(test.codemode.attach(executionId));
    await vi.waitFor(() => expect(mine.calls).toHaveLength(1));
    gate.open();
    expect(await first.outcome).toMatchObject({ value: ["first for acme", "first for acme"] });
    expect((await watched).filter(({ type }) => type === "tool_call")).toHaveLength(2);
    expect(registered.calls).toEqual([]);
  });

  it("with tools takes over: open calls are answered here, old ones are not asked again", async () => {
    await using test = await startCuttable({ twice });
    const never = createGate();
    const mine = createAsk("first", never.opened);
    const yours = createAsk("second");
    const first = test.codemode.stream("twice", { tools: [mine.tool] });
    const executionId = await first.id;
    await vi.waitFor(() => expect(mine.calls).toHaveLength(1));
    await using successor = Codemode.connect({ url: test.server.url });
    const second = successor.attach(executionId, {
      tools: [yours.tool],
      context: { client_id: "acme" },
    });
    const value = ["second for acme", "second for acme"];
    expect(await second.outcome).toMatchObject({ value });
    expect(yours.calls.map(({ callId }) => callId)).toEqual(["1", "2"]);
    expect(yours.calls[0]).toMatchObject({ executionId });
    // The first one is told, and only watches from then on.
    expect(await first.outcome).toMatchObject({ value });
    expect(mine.calls).toHaveLength(1);
    expect(mine.calls[0]?.signal).toMatchObject({
      aborted: true,
      reason: { message: "another reader answers the calls now" },
    });
    const replayed = createAsk("third");
    const third = successor.attach(executionId, { tools: [replayed.tool] });
    expect(await third.outcome).toMatchObject({ value });
    expect(replayed.calls).toEqual([]);
  });
});

describe("detach", () => {
  it("leaves the program running and says where, so that nothing is missed or seen twice", async () => {
    const gate = createGate();
    const waiting: Script = async ({ print }) => {
      await print("1\n");
      await gate.opened;
      await print("2\n");
      return "done";
    };
    await using test = await startCuttable({ waiting });
    const first = test.codemode.stream("waiting", { keepWithoutReaderMs });
    const seen: number[] = [];
    let place: { executionId: string; afterSequence: number } | undefined;
    for await (const event of first) {
      seen.push(event.sequence);
      if (event.type === "output") place = await first.detach();
    }
    expect(place).toEqual({ executionId: await first.id, afterSequence: 2 });
    await expect(first.outcome).rejects.toMatchObject({
      kind: "cancelled",
      executionId: place?.executionId,
    });
    await first[Symbol.asyncDispose]();
    gate.open();
    const second = test.codemode.attach(place?.executionId ?? "", place);
    for await (const event of second) seen.push(event.sequence);
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(await second.outcome).toMatchObject({ value: "done" });
  });

  it("leaves open calls to whoever attaches next", async () => {
    await using test = await startCuttable({ twice });
    const never = createGate();
    const mine = createAsk("first", never.opened);
    const first = test.codemode.stream("twice", { tools: [mine.tool], keepWithoutReaderMs });
    await vi.waitFor(() => expect(mine.calls).toHaveLength(1));
    const { executionId } = await first.detach();
    expect(mine.calls[0]?.signal.aborted).toBe(true);
    const yours = createAsk("second");
    const second = test.codemode.attach(executionId, {
      tools: [yours.tool],
      context: { client_id: 1 },
    });
    expect(await second.outcome).toMatchObject({ value: ["second for 1", "second for 1"] });
  });

  it("has no effect after the end, and rejects for what never starts", async () => {
    await using test = await startCuttable({ hello });
    const ended = test.codemode.stream("hello");
    await ended.outcome;
    await ended.detach();
    expect(await ended.outcome).toMatchObject({ value: 4 });
    await using nowhere = Codemode.connect({ url: "http://127.0.0.1:9", retry: false });
    await expect(nowhere.stream("x").detach()).rejects.toMatchObject({ kind: "unavailable" });
  });
});
