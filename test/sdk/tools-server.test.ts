import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { GuestToolResult } from "../../src/executors/executor.ts";
import {
  Codemode,
  type ConnectOptions,
  defineTool,
  getContext,
  serveTools,
  ToolRegistry,
} from "../../src/index.ts";
import { collect } from "../support/collect.ts";
import {
  createScriptedExecutor,
  type Script,
  type ScriptedGuest,
} from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

/** How tools are reached: which wire, and whether the application is called or answers. */
const roads = [
  { road: "ExecuteInteractive", wire: {}, isServed: false },
  {
    road: "ExecuteStream and SubmitToolResult",
    wire: { transport: "connect", httpVersion: "1.1" },
    isServed: false,
  },
  { road: "ToolService", wire: {}, isServed: true },
] as const satisfies {
  road: string;
  wire: Pick<ConnectOptions, "transport" | "httpVersion">;
  isServed: boolean;
}[];

const answerOf = (result: GuestToolResult): unknown =>
  "resultJson" in result ? JSON.parse(result.resultJson) : result.error;

/** Calls a tool and gives its value, or its failure. */
async function call({ call }: ScriptedGuest, tool: string, input: object = {}): Promise<unknown> {
  return answerOf(await call(tool, JSON.stringify(input)));
}

const scripts = {
  async who(guest) {
    const both = await Promise.all([call(guest, "who"), call(guest, "who")]);
    return [...both, await call(guest, "who"), guest.program.context.client_id];
  },
  async tamper(guest) {
    (guest.program.context as Record<string, unknown>).client_id = "evil";
    return await call(guest, "who");
  },
  misfit: (guest) => call(guest, "add", { a: "one" }),
  fail: (guest) => call(guest, "fail"),
  wait: (guest) => call(guest, "wait"),
  exact: ({ call }) =>
    call("echo", '{"value":[9007199254740993,5,-0.0,"\\u00e9"]}').then((result) =>
      "resultJson" in result ? result.resultJson : result.error,
    ),
  both: (guest) => Promise.all([call(guest, "nothing"), call(guest, "add", { a: 2 })]),
  stranger: (guest) => call(guest, "nothing"),
} as const satisfies Record<string, Script>;

/** What a test's handlers saw. */
function createTools() {
  const aborted = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  const deep = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return getContext().client_id;
  };
  const tools = [
    defineTool({
      name: "who",
      description: "Says whose call it is",
      async execute(_input, { context }) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
        return [await deep(), context.client_id];
      },
    }),
    defineTool({
      name: "add",
      description: "Adds",
      inputSchema: z.object({ a: z.number(), b: z.number().default(1) }),
      execute: ({ a, b }) => a + b,
    }),
    defineTool({
      name: "fail",
      description: "Fails",
      execute() {
        throw new RangeError("too far");
      },
    }),
    defineTool({
      name: "wait",
      description: "Waits for its signal",
      async execute(_input, { signal }) {
        waiting.resolve();
        await once(signal, "abort");
        aborted.resolve();
      },
    }),
    defineTool({ name: "echo", description: "d", execute: ({ value }) => value }),
  ];
  return { tools, aborted: aborted.promise, waiting: waiting.promise };
}

/** A server, a client, and tools on a road between them. */
async function start({ wire, isServed }: (typeof roads)[number]) {
  const stack = new AsyncDisposableStack();
  const { tools, ...seen } = createTools();
  const registry = new ToolRegistry().register(tools);
  const executor = stack.use(createScriptedExecutor(scripts));
  const served = isServed
    ? stack.use(await serveTools(registry, { port: 0, apiKey: "s1" }))
    : undefined;
  const target = served && { target: served.target, api_key: "s1" };
  const server = stack.use(
    await startServer({
      executors: [executor],
      settings: target === undefined ? {} : { tool_services: { default: target } },
    }),
  );
  const codemode = stack.use(Codemode.connect({ url: server.url, ...wire }));
  const options = isServed ? { toolServices: ["default"] } : { tools };
  return {
    codemode,
    options,
    executor,
    ...seen,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe.each(roads)("tools of a real server by $road", (road) => {
  it("stay with their tenant over 500 interleaved executions", async () => {
    await using test = await start(road);
    const tenants = Array.from({ length: 500 }, (_, index) => `tenant-${index % 20}`);
    const results = await Promise.all(
      tenants.map((client_id) =>
        test.codemode.withContext({ client_id }, () =>
          test.codemode.execute("who", { ...test.options, timeoutMs: 60_000 }),
        ),
      ),
    );
    for (const [index, result] of results.entries()) {
      const tenant = tenants[index];
      const answer = [tenant, tenant];
      expect(result).toMatchObject({ value: [answer, answer, answer, tenant] });
    }
  });

  it("get the caller's context, whatever the guest does to its own", async () => {
    await using test = await start(road);
    const context = { client_id: "acme" };
    const result = await test.codemode.execute("tamper", { ...test.options, context });
    expect(result).toMatchObject({ value: ["acme", "acme"] });
  });

  it("refuse a misfit by its path, and a failure's message comes without its stack", async () => {
    await using test = await start(road);
    expect(await test.codemode.execute("misfit", test.options)).toMatchObject({
      value: {
        kind: "invalid_arguments",
        message: "invalid arguments: $.a: Invalid input: expected number, received string",
      },
    });
    expect(await test.codemode.execute("fail", test.options)).toMatchObject({
      value: { kind: "exception", type: "RangeError", message: "too far" },
    });
    expect(await test.codemode.execute("stranger", test.options)).toMatchObject({
      value: { kind: "not_granted" },
    });
  });

  it("carry values exactly, both ways", async () => {
    await using test = await start(road);
    const result = await test.codemode.execute("exact", test.options);
    expect(result).toMatchObject({ value: '[9007199254740993,5,-0.0,"é"]' });
  });

  it("show in the log, calls and results whole", async () => {
    await using test = await start(road);
    const events = await collect(test.codemode.stream("misfit", test.options));
    expect(events.map(({ type }) => type)).toEqual([
      "started",
      "tool_call",
      "tool_result",
      "finished",
    ]);
    expect(events[1]).toMatchObject({ tool: "add", argumentsJson: '{"a":"one"}' });
  });

  it("hear of the end: a handler's signal aborts when the execution is cancelled", async () => {
    await using test = await start(road);
    const execution = test.codemode.stream("wait", test.options);
    await test.waiting;
    await execution.cancel();
    await test.aborted;
    expect(await execution.outcome).toMatchObject({ error: { reason: "cancelled" } });
  });

  it("hear of the end: a handler's signal aborts when the call's time is up", async () => {
    await using test = await start(road);
    const limits = { waitMs: 100 };
    const result = await test.codemode.execute("wait", { ...test.options, limits });
    expect(result).toMatchObject({ value: { kind: "timeout" } });
    await test.aborted;
  });

  it("hear of the end: a handler's signal aborts when the program's time is up", async () => {
    await using test = await start(road);
    const limits = { wallMs: 300 };
    const result = await test.codemode.execute("wait", { ...test.options, limits });
    expect(result).toMatchObject({ error: { reason: "timeout" } });
    await test.aborted;
  });
});

describe("tools of one's own and of a service", () => {
  it("mix in one execution", async () => {
    await using test = await start(roads[2]);
    const own = defineTool({ name: "nothing", description: "The caller's", execute: () => "mine" });
    const mixed = { ...test.options, tools: [own] };
    expect(await test.codemode.execute("both", mixed)).toMatchObject({ value: ["mine", 3] });
  });
});
