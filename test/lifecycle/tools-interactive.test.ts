import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { connectClient, failure } from "../support/client.ts";
import { openInteractive } from "../support/interactive.ts";
import { createScriptedExecutor, forever, type Script } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const tools = [{ name: "weather" }, { name: "mail" }];
const ask: Script = ({ call }) => call("weather", '{"location":"NYC"}');
const ask10: Script = ({ call }) =>
  Promise.all(Array.from({ length: 10 }, (_, index) => call("weather", `{"n":${index}}`)));

async function setUp(scripts: Record<string, Script>, settings = {}) {
  const scripted = createScriptedExecutor({ forever, ask, ask10, ...scripts });
  const server = await startServer({ executors: [scripted], settings });
  const client = connectClient(server.url);
  return {
    scripted,
    server,
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The program's value, which its script returned. */
function resultOf(events: readonly unknown[]): unknown {
  const last = events.at(-1) as { outcome?: { value?: { json?: string } } };
  const json = last.outcome?.value?.json;
  if (json === undefined) throw new Error(`no value: ${JSON.stringify(last)}`);
  return JSON.parse(json);
}

describe("a caller on an interactive stream", () => {
  it("answers the program's calls, and sees calls, answers and the end in one order", async () => {
    await using t = await setUp({});
    const stream = openInteractive(t.client, { code: "ask", tools });
    const { callId, argumentsJson } = await stream.until("tool_call");
    expect(argumentsJson).toBe('{"location":"NYC"}');
    stream.answer({ callId, resultJson: '{"temperature":5.0}' });
    const events = await stream.rest();
    expect(events.map(({ type }) => type)).toEqual([
      "started",
      "tool_call",
      "tool_result",
      "finished",
    ]);
    expect(events[2]).toMatchObject({ callId, resultJson: '{"temperature":5.0}' });
    expect(resultOf(events)).toEqual({ call: 1, resultJson: '{"temperature":5.0}' });
    expect(events.at(-1)).toMatchObject({ outcome: { usage: { toolCalls: 1 } } });
  });

  it("answers calls that are open at once, in any order", async () => {
    await using t = await setUp({});
    const stream = openInteractive(t.client, { code: "ask10", tools });
    const ids: [string, string][] = [];
    for (let call = 0; call < 10; call++) {
      const { callId, argumentsJson } = await stream.until("tool_call");
      ids.push([callId, argumentsJson]);
    }
    for (const [callId, resultJson] of ids.reverse()) stream.answer({ callId, resultJson });
    const events = await stream.rest();
    expect(resultOf(events)).toEqual(
      Array.from({ length: 10 }, (_, n) => ({ call: n + 1, resultJson: `{"n":${n}}` })),
    );
    const results = events.filter((event) => event.type === "tool_result");
    expect(results.map(({ callId }) => callId)).toEqual(ids.map(([callId]) => callId));
  });

  it("tells the guest what its tools are like, and nothing of who answers", async () => {
    await using t = await setUp({});
    const started = t.scripted.untilStarted("forever");
    const caller = new AbortController();
    const declared = [{ name: "weather", description: "secret", inputSchemaJson: "{}" }];
    const request = { code: "forever", tools: declared };
    const stream = openInteractive(t.client, request, { signal: caller.signal });
    const end = failure(stream.rest());
    expect((await started).tools).toEqual([
      {
        name: "weather",
        callForm: "auto",
        signature: "weather(**arguments) -> Any",
        parameters: undefined,
        required: [],
        nullWhenAbsent: [],
        absentWhenNull: [],
      },
    ]);
    caller.abort();
    expect((await end).code).toBe(Code.Canceled);
  });

  it("may answer late, twice, and calls that are none, without effect", async () => {
    const two: Script = async ({ call }) => [await call("weather", "{}"), await call("mail", "{}")];
    await using t = await setUp({ two });
    const stream = openInteractive(t.client, { code: "two", tools });
    const first = await stream.until("tool_call");
    stream.answer({ callId: "99", resultJson: "0" });
    stream.answer({ callId: first.callId, resultJson: "1" });
    const second = await stream.until("tool_call");
    stream.answer({ callId: first.callId, resultJson: "2" });
    stream.answer({ callId: first.callId, resultJson: "1" });
    stream.answer({ callId: second.callId, resultJson: "3" });
    const events = await stream.rest();
    expect(resultOf(events)).toMatchObject([{ resultJson: "1" }, { resultJson: "3" }]);
    expect(t.server.stats().refusedToolAnswers).toBe(2);
  });

  it("is told in the log of a value that cannot be taken, as the program is", async () => {
    await using t = await setUp({}, { tool_payload_bytes: 1_000 });
    const stream = openInteractive(t.client, { code: "ask", tools });
    const { callId } = await stream.until("tool_call");
    stream.answer({ callId, resultJson: `"${"x".repeat(999)}"` });
    expect(await stream.until("tool_result")).toMatchObject({
      error: {
        kind: "invalid_result",
        message: "the result of weather is 1001 bytes of JSON, at most 1000 are taken",
      },
    });
    expect(resultOf(await stream.rest())).toMatchObject({ error: { kind: "invalid_result" } });
  });

  it("gives results of 8 MiB where the server takes them", async () => {
    const size: Script = async ({ call }) => JSON.stringify(await call("weather", "{}")).length;
    await using t = await setUp({ size }, { tool_payload_bytes: 8 * 1024 * 1024 });
    const stream = openInteractive(t.client, { code: "size", tools });
    const { callId } = await stream.until("tool_call");
    stream.answer({ callId, resultJson: `"${"x".repeat(8 * 1024 * 1024 - 2)}"` });
    expect(resultOf(await stream.rest())).toBeGreaterThan(8 * 1024 * 1024);
  });

  it("that closes its side leaves its open and later calls unanswered, and the rest goes on", async () => {
    const two: Script = async ({ call }) => [await call("weather", "{}"), await call("mail", "{}")];
    await using t = await setUp({ two });
    const stream = openInteractive(t.client, { code: "two", tools });
    await stream.until("tool_call");
    stream.end();
    expect(resultOf(await stream.rest())).toMatchObject([
      { error: { kind: "unavailable" } },
      { error: { kind: "unavailable" } },
    ]);
  });

  it("that goes away ends the program", async () => {
    await using t = await setUp({});
    const caller = new AbortController();
    const killed = t.scripted.untilKilled("ask");
    const stream = openInteractive(t.client, { code: "ask", tools }, { signal: caller.signal });
    await stream.until("tool_call");
    caller.abort();
    expect(await killed).toMatchObject({ reason: "cancelled" });
    await expect(stream.rest()).rejects.toMatchObject({ code: Code.Canceled });
    await vi.waitFor(() => expect(t.server.stats().inUse).toBe(0));
  });
});

describe("an interactive stream", () => {
  it("waits for a caller that reads late and has not closed its side", async () => {
    await using t = await setUp({});
    const stream = openInteractive(t.client, { code: "ask", tools });
    const { callId } = await stream.until("tool_call");
    stream.answer({ callId, resultJson: "1" });
    await vi.waitFor(() => expect(t.server.log.at(-1)).toMatchObject({ msg: "call", code: "ok" }));
    await vi.waitFor(() => expect(t.server.stats().inUse).toBe(0));
    expect(resultOf(await stream.rest())).toMatchObject({ resultJson: "1" });
  });

  const answered = { case: "toolResult", value: { callId: "1" } } as const;
  const started = { case: "start", value: { request: { code: "forever" } } } as const;

  it.each([
    ["another start", { message: started }, "tool_result must be every later message"],
    ["nothing", {}, "tool_result must be every later message"],
    [
      "an answer without a result",
      { message: answered },
      "result has neither result_json nor error",
    ],
    [
      "an answer to no call",
      { message: { case: "toolResult", value: { result: { case: "resultJson", value: "1" } } } },
      "result.call_id is empty",
    ],
  ] as const)(
    "ends as a bad request on %s, and with it the program",
    async (_what, message, text) => {
      await using t = await setUp({});
      const killed = t.scripted.untilKilled("forever");
      const stream = openInteractive(t.client, { code: "forever", tools });
      await stream.until("started");
      stream.send(message);
      const error = await failure(stream.rest());
      expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: text });
      await killed;
    },
  );

  it("ends as a bad request on a message that is beyond any limit", async () => {
    await using t = await setUp({});
    const stream = openInteractive(t.client, { code: "ask", tools });
    const { callId } = await stream.until("tool_call");
    stream.answer({ callId, resultJson: "x".repeat(9 * 1024 * 1024) });
    const error = await failure(stream.rest());
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toContain("tool_result cannot be read: message size 94371");
    await vi.waitFor(() => expect(t.scripted.alive).toBe(0));
  });

  it.each([
    ["begins with an answer", [{ message: answered }]],
    ["has no message", []],
  ])("is refused when it %s", async (_what, messages) => {
    await using t = await setUp({});
    async function* requests() {
      yield* messages;
    }
    const responses = t.client.executor.executeInteractive(requests());
    const error = await failure(responses[Symbol.asyncIterator]().next());
    expect(error).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: "start must be the first message",
    });
  });

  it("whose start is bad names every violation", async () => {
    await using t = await setUp({});
    const error = await failure(openInteractive(t.client, { tools: [{ name: "" }] }).rest());
    expect(error.rawMessage).toBe("request.code is empty; request.tools[0].name is empty");
  });

  it("that sends nothing ends at its deadline", async () => {
    await using t = await setUp({});
    async function* requests() {
      await new Promise(() => {});
    }
    const responses = t.client.executor.executeInteractive(requests(), { timeoutMs: 50 });
    const error = await failure(responses[Symbol.asyncIterator]().next());
    expect(ConnectError.from(error).code).toBe(Code.DeadlineExceeded);
  });

  it("leaves nothing behind, 100 times over", async () => {
    await using t = await setUp({}, { slots: 20, queue_size: 100 });
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const stream = openInteractive(t.client, { code: "ask", tools });
        const { callId } = await stream.until("tool_call");
        stream.answer({ callId, resultJson: String(index) });
        expect(resultOf(await stream.rest())).toMatchObject({ resultJson: String(index) });
      }),
    );
    await vi.waitFor(() => expect(t.server.stats()).toMatchObject({ inUse: 0, queued: 0 }));
    expect(t.scripted.alive).toBe(0);
    expect(t.server.stats().connections).toBe(1);
  });
});
