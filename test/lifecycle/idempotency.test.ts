import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { ExecutionState } from "../../gen/es/codemode/v1/execution_pb.ts";
import { ToolPayloads } from "../../gen/es/codemode/v1/tool_pb.ts";
import { BadRequestSchema } from "../../gen/es/google/rpc/error_details_pb.ts";
import { toDuration } from "../../src/shared/wire/time.ts";
import { setUpTenants as setUp } from "../support/attach-setup.ts";
import { connectClient, failure } from "../support/client.ts";
import { openInteractive } from "../support/interactive.ts";
import type { Script } from "../support/scripted-executor.ts";
import { startStream } from "../support/streams.ts";

const requestId = "r-1";
const printer = { code: "printer", requestId };
const talkative: Script = async ({ print }) => {
  await print("out");
  await print("err", "stderr");
  return 4;
};

describe("the same request with the same id", () => {
  it("joins the execution while it runs, and sees its log from the start", async () => {
    await using t = await setUp();
    const first = startStream(t.acme, printer);
    await t.printer.print("one");
    await first.until("output");
    const second = startStream(t.acme, printer);
    expect(await second.until("output")).toMatchObject({ sequence: 2, text: "one" });
    const unary = t.acme.executor.execute({ request: printer });
    await t.printer.print("two");
    t.printer.end(7);
    const whole = await first.rest();
    expect(await second.rest()).toEqual(whole);
    expect(await unary).toMatchObject({
      execution: { executionId: first.id(), requestId, state: ExecutionState.FINISHED },
      stdout: "onetwo",
      stdoutOmittedBytes: 0n,
    });
    expect(t.executor.started).toEqual(["printer"]);
  });

  it("joins the execution while it waits for its slot", async () => {
    await using t = await setUp({ four: () => 4 }, { slots: 1 });
    const blocker = startStream(t.acme, { code: "forever" });
    await blocker.until("started");
    const request = { code: "four", requestId };
    const answers = [1, 2, 3].map(() => t.acme.executor.execute({ request }));
    const stream = startStream(t.acme, request);
    const seen = stream.rest();
    await vi.waitFor(() => expect(t.server.stats().streams).toBe(5));
    expect(t.server.stats().queued).toBe(1);
    blocker.drop();
    const [one, ...others] = await Promise.all(answers);
    for (const other of others) expect(other).toEqual(one);
    expect((await seen).map(({ type }) => type)).toEqual(["started", "finished"]);
    expect(one?.execution?.executionId).toBe(stream.id());
    expect(t.executor.started).toEqual(["forever", "four"]);
  });

  it("gets the same answer and the same log after the end", async () => {
    await using t = await setUp({ talkative });
    const request = { code: "talkative", requestId };
    const first = await t.acme.executor.execute({ request });
    expect(first).toMatchObject({ stdout: "out", stderr: "err" });
    expect(await t.acme.executor.execute({ request })).toEqual(first);
    const stream = startStream(t.acme, request);
    const types = (await stream.rest()).map(({ type }) => type);
    expect(types).toEqual(["started", "output", "output", "finished"]);
    expect(stream.id()).toBe(first.execution?.executionId);
    const interactive = openInteractive(t.acme, request);
    expect(await interactive.rest()).toEqual(stream.seen);
    expect(t.executor.started).toEqual(["talkative"]);
  });

  it("gets the outcome when the log is no longer kept, and is told what was left out", async () => {
    await using t = await setUp({ talkative }, { retention: { tenant_bytes: 0 } });
    const request = { code: "talkative", requestId };
    const first = await t.acme.executor.execute({ request });
    const executionId = first.execution?.executionId ?? "";
    const gone = await failure(
      t.acme.executor.getExecution({ key: { case: "executionId", value: executionId } }),
    );
    expect(gone.code).toBe(Code.NotFound);
    expect(await t.acme.executor.execute({ request })).toEqual({
      ...first,
      stdout: "",
      stderr: "",
      stdoutOmittedBytes: 6n,
    });
    const rest = [
      { type: "trimmed", firstSequence: 1, sequence: 3, omittedBytes: 6 },
      { type: "finished", sequence: 4, outcome: { value: { json: "4" } } },
    ];
    expect(await startStream(t.acme, request).rest()).toMatchObject(rest);
    expect(await openInteractive(t.acme, request).rest()).toMatchObject(rest);
    expect(t.executor.started).toEqual(["talkative"]);
  });

  it("is run once however many come at the same time, over whichever connection", async () => {
    await using t = await setUp({ four: () => 4 });
    using other = connectClient(t.server.url, "acme-key");
    const request = { code: "four", requestId };
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        (index % 2 === 0 ? t.acme : other).executor.execute({ request }),
      ),
    );
    expect(new Set(answers.map(({ execution }) => execution?.executionId)).size).toBe(1);
    expect(t.executor.started).toEqual(["four"]);
  });

  it("from another tenant is another execution", async () => {
    await using t = await setUp({ four: () => 4 });
    const request = { code: "four", requestId };
    const [acme, globex] = await Promise.all([
      t.acme.executor.execute({ request }),
      t.globex.executor.execute({ request: { ...request, config: { a: 1 } } }),
    ]);
    expect(acme.execution?.executionId).not.toBe(globex.execution?.executionId);
    expect(t.executor.started).toEqual(["four", "four"]);
  });

  it("may differ in its correlation id, and in how its stream is read", async () => {
    await using t = await setUp();
    const first = startStream(t.acme, { ...printer, correlationId: "first" });
    await first.until("started");
    const second = startStream(t.acme, { ...printer, correlationId: "second" });
    expect(await second.until("started")).toMatchObject({ correlationId: "first" });
    t.printer.end();
    await second.rest();
  });
});

describe("another request with the same id", () => {
  it("is AlreadyExists, naming the fields that differ, while the first runs and after it", async () => {
    await using t = await setUp();
    const first = startStream(t.acme, printer);
    await first.until("started");
    const request = {
      ...printer,
      code: "other",
      context: { user: "u-2" },
      keepWithoutReader: toDuration(1_000),
    };
    const fields = ["request.code", "request.context", "request.keep_without_reader"];
    const expectRefusal = async (call: Promise<unknown>) => {
      const status = await failure(call);
      expect(status.code).toBe(Code.AlreadyExists);
      const [detail] = status.findDetails(BadRequestSchema);
      expect(detail?.fieldViolations.map(({ field }) => field)).toEqual(fields);
    };
    await expectRefusal(t.acme.executor.execute({ request }));
    await expectRefusal(startStream(t.acme, request).rest());
    await expectRefusal(openInteractive(t.acme, request).rest());
    t.printer.end();
    await first.rest();
    await expectRefusal(t.acme.executor.execute({ request }));
    expect(t.executor.started).toEqual(["printer"]);
  });
});

describe("the tool calls of a request that is made again", () => {
  const caller: Script = async ({ call }) => {
    const result = await call("weather", '{"city":"Oslo"}');
    return "resultJson" in result ? JSON.parse(result.resultJson) : result;
  };
  const request = {
    code: "caller",
    requestId,
    tools: [{ name: "weather" }],
    keepWithoutReader: toDuration(60_000),
  };

  it("are answered by the newest interactive stream", async () => {
    await using t = await setUp({ caller });
    const lost = new AbortController();
    const first = openInteractive(t.acme, request, { signal: lost.signal });
    await first.until("tool_call");
    lost.abort();
    const second = openInteractive(t.acme, request);
    const { callId } = await second.until("tool_call");
    await second.until("tool_host_changed");
    second.answer({ callId, resultJson: "21" });
    expect((await second.rest()).at(-1)).toMatchObject({ outcome: { value: { json: "21" } } });
    expect(t.executor.started).toEqual(["caller"]);
  });

  it("come whole to a stream that asks for small payloads, for its caller answers them", async () => {
    const large = JSON.stringify({ text: "x".repeat(100_000) });
    await using t = await setUp({
      caller: async ({ call }) => void (await call("weather", large)),
    });
    const first = startStream(t.acme, request);
    await first.until("tool_call");
    const payloads = ToolPayloads.SMALL;
    const second = t.acme.executor.executeStream({ request, payloads });
    for await (const { event } of second) {
      if (event?.event.case !== "toolCall") continue;
      expect(event.event.value).toMatchObject({ argumentsJson: large, argumentsOmitted: false });
      const { callId } = event.event.value;
      const result = { callId, result: { case: "resultJson", value: "1" } } as const;
      await t.acme.executor.submitToolResult({ executionId: first.id(), result });
    }
    expect((await first.rest()).at(-1)).toMatchObject({ type: "finished" });
  });
});

describe("GetExecution by the id of its request", () => {
  const get = { key: { case: "requestId", value: requestId } } as const;

  it("knows an execution while it waits, runs, has ended and its log is gone", async () => {
    await using t = await setUp({}, { slots: 1, retention: { tenant_bytes: 0 } });
    const blocker = startStream(t.acme, { code: "forever" });
    await blocker.until("started");
    const stream = startStream(t.acme, printer);
    const started = stream.until("started");
    await vi.waitFor(async () => {
      const { execution } = await t.acme.executor.getExecution(get);
      expect(execution).toMatchObject({ requestId, state: ExecutionState.QUEUED });
    });
    blocker.drop();
    await started;
    const running = await t.acme.executor.getExecution(get);
    expect(running.execution).toMatchObject({
      executionId: stream.id(),
      state: ExecutionState.RUNNING,
    });
    t.printer.end(5);
    await stream.rest();
    await vi.waitFor(async () => {
      const { execution } = await t.acme.executor.getExecution(get);
      expect(execution).toMatchObject({
        executionId: stream.id(),
        state: ExecutionState.FINISHED,
        outcome: { result: { value: { resultJson: "5" } } },
      });
    });
  });

  it("is NotFound for an id that is unknown, another tenant's or free again", async () => {
    await using t = await setUp({}, { slots: 1, queue_size: 0 });
    const notFound = { code: Code.NotFound, rawMessage: "no such execution" };
    expect(await failure(t.acme.executor.getExecution(get))).toMatchObject(notFound);
    const stream = startStream(t.acme, printer);
    await stream.until("started");
    expect(await failure(t.globex.executor.getExecution(get))).toMatchObject(notFound);
    const refused = { code: "printer", requestId: "r-2" };
    const status = await failure(t.acme.executor.execute({ request: refused }));
    expect(status.code).toBe(Code.ResourceExhausted);
    const key = { case: "requestId", value: "r-2" } as const;
    expect(await failure(t.acme.executor.getExecution({ key }))).toMatchObject(notFound);
    stream.drop();
  });
});
