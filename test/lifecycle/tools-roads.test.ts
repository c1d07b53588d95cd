import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { connectClient, failure } from "../support/client.ts";
import { openInteractive } from "../support/interactive.ts";
import { createScriptedExecutor, forever, type Script } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";
import {
  type ScriptedToolService,
  startToolService,
  type ToolServiceScript,
  value,
} from "../support/tool-service.ts";

const find: Script = ({ call }) => call("find", '{"id":7}');

async function setUp(
  script: Partial<ToolServiceScript>,
  scripts: Record<string, Script>,
  settings: object = {},
) {
  const service = await startToolService({ tools: () => [{ name: "find" }], ...script });
  const scripted = createScriptedExecutor({ forever, find, ...scripts });
  const { target } = service;
  const server = await startServer({
    executors: [scripted],
    settings: {
      api_keys: [{ key: "caller-key", tenant: "acme" }],
      tool_services: { crm: { target, api_key: "crm-key" }, down: { target: "127.0.0.1:1" } },
      ...settings,
    },
  });
  const client = connectClient(server.url, "caller-key");
  return {
    service,
    scripted,
    server,
    client,
    execute: (code: string, fields: object = {}, headers: Record<string, string> = {}) =>
      client.executor.execute({ request: { code, toolServices: ["crm"], ...fields } }, { headers }),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

type Answer = Awaited<ReturnType<Awaited<ReturnType<typeof setUp>>["execute"]>>;

function resultOf({ execution }: Answer): unknown {
  const { result } = execution?.outcome ?? {};
  if (result?.case !== "success") throw new Error(JSON.stringify(result));
  return JSON.parse(result.value.resultJson ?? "");
}

/** What the application was sent beside its own keys. */
const sent = ({ calls }: ScriptedToolService) =>
  JSON.stringify(calls.map(({ header, request }) => [[...header], request.argumentsJson]));

describe("a tool service", () => {
  it("answers the calls of a unary Execute, and is told whose they are", async () => {
    const tamper: Script = ({ program, call }) => {
      Object.assign(program.context, { client_id: "globex" });
      return call("find", '{"id":7}');
    };
    await using t = await setUp({ call: () => value({ name: "Ada" }) }, { tamper });
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const context = { client_id: "acme", nested: { deep: [1, "é", null] } };
    const answer = await t.execute(
      "find",
      { context, correlationId: "trace-9" },
      { traceparent, "x-secret": "caller-secret" },
    );
    expect(resultOf(answer)).toEqual({ call: 1, resultJson: '{"name":"Ada"}' });
    const [received] = t.service.calls;
    expect(received?.request).toMatchObject({
      tool: "find",
      argumentsJson: '{"id":7}',
      context,
      executionId: answer.execution?.executionId,
      callId: "1",
      correlationId: "trace-9",
    });
    expect(received?.header.get("traceparent")).toBe(traceparent);
    expect(received?.header.get("x-correlation-id")).toBe("trace-9");
    expect(received?.header.get("authorization")).toBe("Bearer crm-key");
    expect(sent(t.service)).not.toMatch(/caller-key|caller-secret/);
  });

  it("gets no trace that is not one", async () => {
    await using t = await setUp({}, {});
    await t.execute("find", {}, { traceparent: "00-zz" });
    expect(t.service.calls[0]?.header.get("traceparent")).toBeNull();
  });

  it("gets the time that is left to the program, or to one call where that is less", async () => {
    await using t = await setUp({}, {});
    await t.execute("find", { limits: { wallTimeout: { seconds: 5n } } });
    await t.execute("find", { limits: { waitTimeout: { seconds: 2n } } });
    const [first, second] = t.service.calls.map(({ timeoutMs }) => timeoutMs ?? 0);
    expect(first).toBeGreaterThan(4_000);
    expect(first).toBeLessThanOrEqual(5_000);
    expect(second).toBeGreaterThan(1_000);
    expect(second).toBeLessThanOrEqual(2_000);
  });

  it("loses its call when the program is cancelled, and its connection when the server ends", async () => {
    const waits: Partial<ToolServiceScript> = { call: () => new Promise(() => {}) };
    await using t = await setUp(waits, {});
    const received = t.service.nextCall();
    const request = { code: "find", toolServices: ["crm"] };
    const stream = t.client.executor.executeStream({ request })[Symbol.asyncIterator]();
    const { value: first } = await stream.next();
    if (first?.event?.event.case !== "started") throw new Error("not started");
    const { signal } = await received;
    const { executionId } = first.event.event.value;
    await t.client.executor.cancelExecution({ executionId });
    await vi.waitFor(() => expect(signal.aborted).toBe(true));
    await stream.return?.();
  });

  it("is asked for its list once for many executions", async () => {
    await using t = await setUp({}, {});
    await Promise.all(Array.from({ length: 5 }, () => t.execute("find")));
    expect(t.service.lists).toHaveLength(1);
    expect(t.service.calls).toHaveLength(5);
  });

  it("that is not there fails the call before the program starts, safe to try again", async () => {
    await using t = await setUp({}, {});
    const error = await failure(t.execute("find", { toolServices: ["down"] }));
    expect(error).toMatchObject({
      code: Code.Unavailable,
      rawMessage: 'the tool service "down" does not tell its tools',
    });
    expect(t.scripted.started).toEqual([]);
    expect(t.server.stats().inUse).toBe(0);
  });

  it("that goes away while the program runs gives it a failure of the call", async () => {
    await using t = await setUp({ call: ({ breakOff }) => breakOff() as never }, {});
    expect(resultOf(await t.execute("find"))).toMatchObject({
      error: { kind: "unavailable", message: 'the connection to the tool service "crm" was lost' },
    });
  });

  it.each([
    [["127.0.0.1:9000"], 'request.tool_services is "127.0.0.1:9000", known are crm, down'],
    [["Crm"], 'request.tool_services is "Crm", known are crm, down'],
  ])("is chosen by a configured name only, not %j", async (toolServices, text) => {
    await using t = await setUp({}, {});
    const error = await failure(t.execute("find", { toolServices }));
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: text });
  });
});

describe("the roads mixed in one execution", () => {
  const mixed: Script = ({ call }) =>
    Promise.all([
      call("weather", "{}"),
      call("find", "{}"),
      call("__search__", '{"query":"find"}'),
      call("unknown", "{}"),
    ]);

  it("each answer their own calls, through one log", async () => {
    await using t = await setUp({ call: () => value("of the service") }, { mixed });
    const stream = openInteractive(t.client, {
      code: "mixed",
      tools: [{ name: "weather" }],
      toolServices: ["crm"],
    });
    let call = await stream.until("tool_call");
    while (call.tool !== "weather") call = await stream.until("tool_call");
    stream.answer({ callId: "2", resultJson: '"forged"' });
    stream.answer({ callId: call.callId, resultJson: '"of the caller"' });
    const events = await stream.rest();
    const last = events.at(-1);
    if (last?.type !== "finished" || last.outcome.status !== "completed") throw new Error("failed");
    expect(JSON.parse(last.outcome.value.json ?? "")).toMatchObject([
      { resultJson: '"of the caller"' },
      { resultJson: '"of the service"' },
      { resultJson: expect.stringContaining('"name":"find"') },
      { error: { kind: "not_granted" } },
    ]);
    expect(last.outcome.usage.toolCalls).toBe(4);
    const calls = events.filter(({ type }) => type === "tool_call");
    const results = events.filter(({ type }) => type === "tool_result");
    expect([calls.length, results.length]).toEqual([4, 4]);
    expect(t.server.stats()).toMatchObject({ refusedToolCalls: 1, refusedToolAnswers: 1 });
  });

  it("may not have two tools of the same name", async () => {
    await using t = await setUp({}, { mixed });
    const request = { code: "mixed", tools: [{ name: "find" }], toolServices: ["crm"] };
    const error = await failure(openInteractive(t.client, request).rest());
    expect(error).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: 'the tool "find" is in the request and in the tool service "crm"',
    });
    expect(t.scripted.started).toEqual([]);
  });
});

describe("a program that asks too much", () => {
  const insist: Script = async ({ call }) => {
    for (;;) await call("unknown", "{}");
  };
  const flood: Script = ({ call }) =>
    Promise.all(Array.from({ length: 5 }, () => call("find", "{}")));
  const talk: Script = async ({ call }) => {
    for (;;) await call("find", JSON.stringify({ a: "x".repeat(1_000) }));
  };

  it.each([
    ["calls", "insist", { toolCalls: 3 }, "the program made more than 3 tool calls"],
    ["open calls", "flood", { openToolCalls: 4 }, "the program had more than 4 tool calls open"],
    ["bytes", "talk", {}, "the program moved more than 10000 bytes through tool calls"],
  ])("of %s is ended by the host", async (_what, code, limits, message) => {
    const waits: Partial<ToolServiceScript> =
      code === "flood" ? { call: () => new Promise(() => {}) } : {};
    const sizes = { tool_payload_bytes: 5_000, tool_total_bytes: 10_000 };
    await using t = await setUp(waits, { insist, flood, talk }, sizes);
    const { execution } = await t.execute(code, { limits });
    expect(execution?.outcome?.result).toMatchObject({
      case: "failure",
      value: { reason: 7, message: expect.stringContaining(message) },
    });
  });
});

describe("a tool service over TLS", () => {
  const file = (name: string) => fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));

  it.each([
    ["is called where its authority is known", { ca_file: file("localhost-cert.pem") }, undefined],
    ["is not called where it is not", true, Code.Unavailable],
  ])("%s", async (_what, tls, code) => {
    const script = { tools: () => [{ name: "find" }], call: () => value(1) };
    await using service = await startToolService(script, {
      cert: await readFile(file("localhost-cert.pem")),
      key: await readFile(file("localhost-key.pem")),
    });
    const target = service.target.replace("127.0.0.1", "localhost");
    const settings = { tool_services: { crm: { target, tls, api_key: "k" } } };
    const executors = [createScriptedExecutor({ find })];
    await using server = await startServer({ executors, settings });
    using client = connectClient(server.url);
    const answer = client.executor.execute({ request: { code: "find", toolServices: ["crm"] } });
    if (code === undefined) expect(resultOf(await answer)).toMatchObject({ resultJson: "1" });
    else expect((await failure(answer)).code).toBe(code);
  });

  it("is what a key should go over: the log warns where it does not", async () => {
    await using t = await setUp({}, {});
    expect(t.server.log).toContainEqual(
      expect.objectContaining({
        level: 40,
        msg: "the api key of the tool service crm is sent without TLS",
      }),
    );
    expect(JSON.stringify(t.server.log)).not.toContain("crm-key");
  });
});

it("refuses tools that a unary Execute could not call, and says where to", async () => {
  await using t = await setUp({}, {});
  const error = await failure(t.execute("find", { tools: [{ name: "weather" }] }));
  expect(error.code).toBe(Code.InvalidArgument);
  expect(error.rawMessage).toContain("use ExecuteInteractive or ExecuteStream, or tool_services");
});
