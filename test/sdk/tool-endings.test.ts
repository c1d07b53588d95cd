import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { Codemode, defineTool, type ToolInfo } from "../../src/index.ts";
import { createLog, executionId, failure } from "./support/messages.ts";
import { startScriptedService } from "./support/scripted-service.ts";
import { startToolProgram } from "./support/tool-programs.ts";

const json = (answer: object) => ("resultJson" in answer ? String(answer.resultJson) : "null");

/** A tool that answers only when its signal aborts, and tells of both. */
function waitingTool() {
  const called = Promise.withResolvers<ToolInfo>();
  const aborted = Promise.withResolvers<unknown>();
  const tool = defineTool({
    name: "wait",
    description: "Waits for the end",
    async execute(_input, info) {
      called.resolve(info);
      await once(info.signal, "abort");
      aborted.resolve(info.signal.reason);
      return "too late";
    },
  });
  return { tool, called: called.promise, aborted: aborted.promise };
}

describe("a handler's signal", () => {
  it.each<
    [
      string,
      (
        codemode: Codemode,
        tools: [ReturnType<typeof waitingTool>["tool"]],
        called: Promise<unknown>,
      ) => Promise<void>,
    ]
  >([
    [
      "the loop is left",
      async (codemode, tools) => {
        for await (const event of codemode.stream("x", { tools })) {
          if (event.type === "tool_call") break;
        }
      },
    ],
    [
      "it is cancelled",
      async (codemode, tools, called) => {
        const execution = codemode.stream("x", { tools });
        await called;
        await execution.cancel();
      },
    ],
    [
      "the caller's signal aborts",
      async (codemode, tools, called) => {
        const controller = new AbortController();
        const failed = codemode.execute("x", { tools, signal: controller.signal });
        await called;
        controller.abort("enough");
        await expect(failed).rejects.toMatchObject({ kind: "cancelled", cause: "enough" });
      },
    ],
    [
      "the call's time is up",
      async (codemode, tools) => {
        const failed = codemode.execute("x", { tools, timeoutMs: 200 });
        await expect(failed).rejects.toMatchObject({ kind: "deadline_exceeded" });
      },
    ],
    [
      "the client is closed",
      async (codemode, tools, called) => {
        const outcome = codemode.execute("x", { tools });
        await called;
        await codemode.close();
        expect(await outcome).toMatchObject({ error: { reason: "cancelled" } });
      },
    ],
  ])("aborts when %s", async (_title, end) => {
    const { tool, called, aborted } = waitingTool();
    await using service = await startScriptedService({
      async *executeInteractive(_requests, { signal }) {
        const log = createLog();
        yield log.started();
        yield log.toolCall("c1", "wait");
        await Promise.race([cancelled.promise, once(signal, "abort")]);
        yield log.finished(failure("cancelled", "cancelled by the caller"));
      },
      cancelExecution() {
        cancelled.resolve();
        return {};
      },
    });
    const cancelled = Promise.withResolvers<void>();
    await using codemode = Codemode.connect({ url: service.url });
    await end(codemode, [tool], called);
    expect(await aborted).toMatchObject({ kind: "cancelled", executionId });
  });

  it("aborts when the program ends first, and the late answer is not sent", async () => {
    const { tool, called, aborted } = waitingTool();
    await using test = await startToolProgram(async ({ call }) => {
      void call("wait");
      await called;
      return "7";
    });
    expect(await test.codemode.execute("x", { tools: [tool] })).toMatchObject({ value: 7 });
    expect(await aborted).toMatchObject({ message: "the execution ended" });
    expect(test.answers).toEqual([]);
  });

  it("aborts when the service gives the call up, and the program goes on", async () => {
    const { tool, called, aborted } = waitingTool();
    await using test = await startToolProgram(async ({ call, settle }) => {
      const answer = call("wait");
      await called;
      settle({ callId: "c1", error: { kind: "timeout", type: "", message: "1000 ms" } });
      await answer;
      await aborted;
      return "8";
    });
    expect(await test.codemode.execute("x", { tools: [tool] })).toMatchObject({ value: 8 });
    expect(await aborted).toMatchObject({ message: "the call was given up" });
    expect(test.answers).toEqual([]);
  });

  it("aborts when the connection is cut", async () => {
    const { tool, called, aborted } = waitingTool();
    await using test = await startToolProgram(async ({ call }) => json(await call("wait")));
    const execution = test.codemode.stream("x", { tools: [tool] });
    await called;
    test.service.disconnect();
    await expect(execution.outcome).rejects.toMatchObject({ kind: "execution_lost" });
    await aborted;
  });

  it("has not aborted when the handler is done in time", async () => {
    let signal: AbortSignal | undefined;
    const tool = defineTool({
      name: "quick",
      description: "d",
      execute(_input, info) {
        signal = info.signal;
        return 1;
      },
    });
    await using test = await startToolProgram(async ({ call }) => json(await call("quick")));
    await test.codemode.execute("x", { tools: [tool] });
    expect(signal?.aborted).toBe(false);
  });
});

describe("a call", () => {
  it("is answered once, though it is sent twice", async () => {
    let runs = 0;
    const answered = Promise.withResolvers<void>();
    await using service = await startScriptedService({
      async *executeInteractive(requests) {
        const log = createLog();
        yield log.started();
        yield log.toolCall("c1", "count");
        yield log.toolCall("c1", "count");
        for await (const { message } of requests) if (message.case === "toolResult") break;
        yield log.finished(failure("exception", "done"));
        answered.resolve();
      },
    });
    await using codemode = Codemode.connect({ url: service.url });
    const tool = defineTool({ name: "count", description: "d", execute: () => ++runs });
    await codemode.execute("x", { tools: [tool] });
    await answered.promise;
    expect(runs).toBe(1);
  });

  it("of another's tool is left alone, and the road stays one way without tools of one's own", async () => {
    await using test = await startToolProgram(async ({ request, call, settle }) => {
      const answer = call("theirs");
      settle({ callId: "c1", resultJson: "1" });
      return `[${json(await answer)},${JSON.stringify(request.toolServices)},${request.tools.length}]`;
    });
    test.codemode.registry.register(waitingTool().tool);
    const own = await test.codemode.stream("x", { toolServices: ["default"] }).outcome;
    expect(own).toMatchObject({ value: [1, ["default"], 1] });
    const none = { toolServices: ["default"], tools: [] };
    expect(await test.codemode.stream("x", none).outcome).toMatchObject({
      value: [1, ["default"], 0],
    });
    await test.codemode.execute("x", none);
    expect(test.roads).toEqual(["executeInteractive", "executeStream", "execute"]);
    expect(test.answers).toEqual([]);
  });

  it("runs in the async context in which the execution was begun, under the caller's variables", async () => {
    const seen: unknown[] = [];
    const tool = defineTool({
      name: "see",
      description: "d",
      execute(_input, { context }) {
        seen.push(context);
        expect(Object.isFrozen(context)).toBe(true);
        expect(Object.isFrozen(context.account)).toBe(true);
      },
    });
    const go = Promise.withResolvers<void>();
    await using test = await startToolProgram(async ({ call }) => {
      await go.promise;
      return json(await call("see"));
    });
    const account = { id: 1 };
    const context = { client_id: "acme", account };
    const outcome = test.codemode.execute("x", { tools: [tool], context });
    // What the caller changes afterwards is not what it asked with.
    account.id = 2;
    context.client_id = "evil";
    go.resolve();
    await outcome;
    expect(seen).toEqual([{ client_id: "acme", account: { id: 1 } }]);
  });
});
