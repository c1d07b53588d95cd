import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { ToolPayloads } from "../../gen/es/codemode/v1/tool_pb.ts";
import { fromEventMessage } from "../../src/shared/wire/event.ts";
import { connectClient, failure, type TestClient } from "../support/client.ts";
import { createScriptedExecutor, forever, type Script } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const tools = [{ name: "weather" }];
const ask: Script = ({ call }) => call("weather", '{"location":"NYC"}');
const settings = {
  api_keys: [
    { key: "acme-key", tenant: "acme" },
    { key: "globex-key", tenant: "globex" },
  ],
};
type Payload = { readonly case: "resultJson"; readonly value: string };
const json = (value: string): Payload => ({ case: "resultJson", value });

/** A stream of the log, and the answers that its caller gives by calls of their own. */
function follow({ executor }: TestClient, code: string, fields: object = {}) {
  const { payloads = ToolPayloads.UNSPECIFIED, ...request } = fields as { payloads?: ToolPayloads };
  const stream = executor.executeStream({ request: { code, tools, ...request }, payloads });
  const responses = stream[Symbol.asyncIterator]();
  let executionId = "";
  return {
    submit: (callId: string, result: Payload, by = executor) =>
      by.submitToolResult({ executionId, result: { callId, result } }),
    id: () => executionId,
    async next() {
      const { value, done } = await responses.next();
      if (done === true) return undefined;
      const event = value.event && fromEventMessage(value.event);
      if (event?.type === "started") executionId = event.executionId;
      return event;
    },
    async untilCall() {
      for (;;) {
        const event = await this.next();
        if (event === undefined) throw new Error("the stream ended before a call");
        if (event.type === "tool_call") return event;
      }
    },
    async rest() {
      const events = [];
      for (let event = await this.next(); event !== undefined; event = await this.next()) {
        events.push(event);
      }
      return events;
    },
  };
}

async function setUp(scripts: Record<string, Script> = {}) {
  const scripted = createScriptedExecutor({ forever, ask, ...scripts });
  const server = await startServer({ executors: [scripted], settings });
  const acme = connectClient(server.url, "acme-key");
  const globex = connectClient(server.url, "globex-key");
  return {
    server,
    acme,
    globex,
    async [Symbol.asyncDispose]() {
      acme[Symbol.dispose]();
      globex[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("an answer by a call of its own", () => {
  it("reaches the program, whose stream shows it", async () => {
    await using t = await setUp();
    const stream = follow(t.acme, "ask");
    const { callId } = await stream.untilCall();
    expect(await stream.submit(callId, json("[9007199254740993,5.0]"))).toMatchObject({
      alreadyAnswered: false,
    });
    expect(await stream.rest()).toMatchObject([
      { type: "tool_result", callId, resultJson: "[9007199254740993,5.0]" },
      { type: "finished", outcome: { status: "completed", usage: { toolCalls: 1 } } },
    ]);
  });

  it("may be given again, and is told so; a different one is refused", async () => {
    const askTwice: Script = async ({ call }) => [
      await call("weather", "{}"),
      await call("weather", "{}"),
    ];
    await using t = await setUp({ askTwice });
    const stream = follow(t.acme, "askTwice");
    const first = await stream.untilCall();
    await stream.submit(first.callId, json("1"));
    expect(await stream.submit(first.callId, json("1"))).toMatchObject({ alreadyAnswered: true });
    const other = await failure(stream.submit(first.callId, json("2")));
    expect(other).toMatchObject({
      code: Code.AlreadyExists,
      rawMessage: 'the call "1" has been given a different answer',
    });
    const second = await stream.untilCall();
    await stream.submit(second.callId, json("3"));
    expect((await stream.rest()).at(-1)).toMatchObject({
      outcome: { value: { json: '[{"call":1,"resultJson":"1"},{"call":2,"resultJson":"3"}]' } },
    });
    expect(t.server.stats().refusedToolAnswers).toBe(1);
  });

  it("of another tenant never gets there, and is told nothing", async () => {
    await using t = await setUp();
    const stream = follow(t.acme, "ask");
    const { callId } = await stream.untilCall();
    const error = await failure(stream.submit(callId, json('"stolen"'), t.globex.executor));
    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: "no such execution" });
    expect(t.server.stats().refusedToolAnswers).toBe(1);
    await stream.submit(callId, json('"own"'));
    expect((await stream.rest())[0]).toMatchObject({ resultJson: '"own"' });
  });

  it("to an unknown execution, an unknown call or one that is over is not found", async () => {
    await using t = await setUp();
    const result = { callId: "1", result: json("1") };
    const request = { executionId: "i-7-0", result };
    expect((await failure(t.acme.executor.submitToolResult(request))).code).toBe(Code.NotFound);
    const stream = follow(t.acme, "ask");
    const { callId } = await stream.untilCall();
    expect((await failure(stream.submit("99", json("1")))).code).toBe(Code.NotFound);
    await stream.submit(callId, json("1"));
    await stream.rest();
    expect((await failure(stream.submit(callId, json("1")))).code).toBe(Code.NotFound);
  });

  it("after the program's time is up is not found, and the call is cancelled in the log", async () => {
    await using t = await setUp();
    const wallTimeout = { seconds: 0n, nanos: 30_000_000 };
    const stream = follow(t.acme, "ask", { limits: { wallTimeout } });
    const { callId } = await stream.untilCall();
    expect(await stream.rest()).toMatchObject([
      { type: "tool_result", callId, error: { kind: "cancelled" } },
      { type: "finished", outcome: { error: { reason: "timeout" } } },
    ]);
    expect((await failure(stream.submit(callId, json("1")))).code).toBe(Code.NotFound);
  });

  it.each([
    ["no result", { executionId: "x" }, "result is required"],
    ["no call", { result: { result: json("1") } }, "result.call_id is empty"],
    ["no value", { result: { callId: "1" } }, "result has neither result_json nor error"],
  ])("with %s is a bad request", async (_what, request, text) => {
    await using t = await setUp();
    const error = await failure(t.acme.executor.submitToolResult(request));
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: text });
  });

  it("that is not exact JSON is a bad request, and the program is told so", async () => {
    await using t = await setUp();
    const stream = follow(t.acme, "ask");
    const { callId } = await stream.untilCall();
    const error = await failure(stream.submit(callId, json("NaN")));
    const message = "the result of weather is not JSON at $: not JSON";
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: message });
    expect((await stream.rest())[0]).toMatchObject({ error: { kind: "invalid_result", message } });
  });
});

describe("a stream that asks for small payloads", () => {
  it("has marks in place of large ones, and gets what it must answer whole", async () => {
    const large = JSON.stringify({ a: "x".repeat(70_000) });
    const calls: Script = async ({ call }) => {
      await call("unknown", large);
      await call("weather", large);
    };
    await using t = await setUp({ calls });
    const stream = follow(t.acme, "calls", { payloads: ToolPayloads.SMALL });
    expect(await stream.untilCall()).toMatchObject({ argumentsJson: "", argumentsOmitted: true });
    const { callId, argumentsJson } = await stream.untilCall();
    expect(argumentsJson).toBe(large);
    await stream.submit(callId, json(large));
    expect((await stream.rest())[0]).toMatchObject({ resultJson: "", resultOmitted: true });
  });
});
