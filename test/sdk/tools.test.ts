import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { type ConnectOptions, defineTool, getContext } from "../../src/index.ts";
import { collect } from "../support/collect.ts";
import { startToolProgram } from "./support/tool-programs.ts";

const roads = [
  { road: "ExecuteInteractive", transport: "grpc", httpVersion: "2" },
  { road: "ExecuteInteractive", transport: "connect", httpVersion: "2" },
  { road: "SubmitToolResult", transport: "connect", httpVersion: "1.1" },
  { road: "SubmitToolResult", transport: "grpc-web", httpVersion: "1.1" },
] as const satisfies (Pick<ConnectOptions, "transport" | "httpVersion"> & { road: string })[];

const double = defineTool({
  name: "double",
  description: "Twice a number",
  inputSchema: z.object({ value: z.number() }),
  outputSchema: z.number(),
  execute: async ({ value }) => value * 2,
});

const json = (answer: object) => ("resultJson" in answer ? String(answer.resultJson) : "null");

describe.each(roads)("tools by $road over $transport and HTTP/$httpVersion", (road) => {
  const { transport, httpVersion } = road;
  const wire = { transport, httpVersion };

  it("are declared with the request and answered without anyone iterating", async () => {
    const declared: unknown[] = [];
    await using test = await startToolProgram(async ({ call, request }) => {
      declared.push(...request.tools);
      return json(await call("double", '{"value":21}'));
    }, wire);
    const execution = test.codemode.stream("x", { tools: [double] });
    expect(await execution.outcome).toMatchObject({ status: "completed", value: 42 });
    expect(declared).toMatchObject([{ name: "double", description: "Twice a number" }]);
    const interactive = road.road === "ExecuteInteractive";
    expect(test.roads).toEqual(
      interactive ? ["executeInteractive"] : ["executeStream", "submitToolResult"],
    );
    expect(await test.codemode.execute("x", { tools: [double] })).toMatchObject({ value: 42 });
  });

  it("are answered while nobody asks for the outcome either", async () => {
    await using test = await startToolProgram(
      async ({ call }) => json(await call("double", '{"value":1}')),
      wire,
    );
    const answered = vi.fn();
    const execution = test.codemode.stream("x", {
      tools: [{ ...double, execute: () => answered() }],
    });
    await vi.waitFor(() => expect(answered).toHaveBeenCalled());
    await execution.cancel();
  });

  it("run many at a time, and their answers may come in any order", async () => {
    await using test = await startToolProgram(async ({ call }) => {
      const names = Array.from({ length: 20 }, (_, index) => index);
      const answers = await Promise.all(names.map((index) => call("wait", `{"index":${index}}`)));
      return `[${answers.map(json).join(",")}]`;
    }, wire);
    const started: number[] = [];
    const all = Promise.withResolvers<void>();
    const wait = defineTool({
      name: "wait",
      description: "Waits for all, then answers the last first",
      inputSchema: z.object({ index: z.int() }),
      async execute({ index }) {
        started.push(index);
        if (started.length === 20) all.resolve();
        await all.promise;
        for (let turn = 20; turn > index; turn--) await Promise.resolve();
        return index;
      },
    });
    const result = await test.codemode.execute("x", { tools: [wait] });
    expect(result).toMatchObject({ value: started.toSorted((a, b) => a - b) });
    const order = test.answers.map(({ callId }) => callId);
    expect(order).not.toEqual(order.toSorted());
  });

  it("stay with their tenant over 100 interleaved executions", async () => {
    await using test = await startToolProgram(async ({ call, request }) => {
      const [one, two] = await Promise.all([call("who"), call("who")]);
      const three = await call("who");
      return `[${[one, two, three].map(json).join(",")},${JSON.stringify(request.context?.client_id)}]`;
    }, wire);
    const who = defineTool({
      name: "who",
      description: "Says whose call it is",
      async execute(_input, { context, executionId }) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        return [await deep(), context.client_id, executionId];
      },
    });
    test.codemode.registry.register(who);
    const tenants = Array.from({ length: 100 }, (_, index) => `tenant-${index % 20}`);
    const results = await Promise.all(
      tenants.map((client_id) =>
        test.codemode.withContext({ client_id }, () => test.codemode.execute("x")),
      ),
    );
    const ids = new Set(results.map(({ executionId }) => executionId));
    expect(ids.size).toBe(100);
    for (const [index, result] of results.entries()) {
      const tenant = tenants[index];
      const answer = [tenant, tenant, result.executionId];
      expect(result).toMatchObject({ value: [answer, answer, answer, tenant] });
    }
  });
});

async function deep(): Promise<unknown> {
  await new Promise((resolve) => setImmediate(resolve));
  return getContext().client_id;
}

describe("tools of an execution that is iterated", () => {
  it("show as events, in the order of the log", async () => {
    await using test = await startToolProgram(async ({ call }) =>
      json(await call("double", '{"value":4}')),
    );
    const events = await collect(test.codemode.stream("x", { tools: [double] }));
    expect(events).toMatchObject([
      { type: "started" },
      { type: "tool_call", callId: "c1", tool: "double", argumentsJson: '{"value":4}' },
      { type: "tool_result", callId: "c1", resultJson: "8" },
      { type: "finished" },
    ]);
  });

  it("are answered though the loop stands still and 10 MiB of output are in between", async () => {
    const mebibyte = "x".repeat(1024 * 1024);
    await using test = await startToolProgram(async ({ call, print }) => {
      for (let index = 0; index < 10; index++) print(mebibyte);
      return json(await call("double", '{"value":4}'));
    });
    const answered = Promise.withResolvers<void>();
    const execution = test.codemode.stream("x", {
      tools: [
        {
          ...double,
          execute: () => {
            answered.resolve();
            return 1;
          },
        },
      ],
    });
    let bytes = 0;
    const types = new Set<string>();
    for await (const event of execution) {
      if (types.size === 0) await answered.promise;
      types.add(event.type);
      if (event.type === "output") bytes += event.text.length;
    }
    expect(bytes).toBe(10 * mebibyte.length);
    expect([...types]).toEqual(["started", "output", "tool_call", "tool_result", "finished"]);
  });

  it("leave out payloads over 64 KiB where small ones are asked for, and answer all the same", async () => {
    const text = "x".repeat(70_000);
    await using test = await startToolProgram(async ({ call }) => {
      await call("echo", JSON.stringify({ text }));
      return json(await call("echo", '{"text":"y"}'));
    });
    const lengths: number[] = [];
    const echo = defineTool({
      name: "echo",
      description: "Gives back",
      inputSchema: z.object({ text: z.string() }),
      execute: (input) => {
        lengths.push(input.text.length);
        return input.text;
      },
    });
    const events = await collect(test.codemode.stream("x", { tools: [echo], payloads: "small" }));
    expect(lengths).toEqual([70_000, 1]);
    expect(events.slice(1, 5)).toMatchObject([
      { argumentsJson: "", argumentsOmitted: true },
      { resultJson: "", resultOmitted: true },
      { argumentsJson: '{"text":"y"}' },
      { resultJson: '"y"' },
    ]);
    expect(events[3]).not.toHaveProperty("argumentsOmitted");
    const full = await collect(test.codemode.stream("x", { tools: [echo] }));
    expect(full[2]).toMatchObject({ resultJson: JSON.stringify(text) });
  });
});
