import http2 from "node:http2";
import net from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { ExecuteInteractiveRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { toDuration } from "../../src/shared/wire/time.ts";
import { setUpTenants as setUp } from "../support/attach-setup.ts";
import { envelope, failure, type TestClient } from "../support/client.ts";
import { openInteractive } from "../support/interactive.ts";
import type { Script } from "../support/scripted-executor.ts";
import { attachStream, startStream } from "../support/streams.ts";

const ask: Script = ({ call }) => call("weather", '{"location":"NYC"}');
const askTwice: Script = async ({ call }) => [
  await call("weather", '{"n":1}'),
  await call("weather", '{"n":2}'),
];
const keep = { tools: [{ name: "weather" }], keepWithoutReader: toDuration(60_000) };

function submit({ executor }: TestClient, executionId: string, callId: string, value: string) {
  const result = { callId, result: { case: "resultJson", value } } as const;
  return executor.submitToolResult({ executionId, result });
}

/** An interactive stream that has seen its first call, and can drop. */
async function startAsking(client: TestClient, code: string) {
  const caller = new AbortController();
  const stream = openInteractive(client, { code, ...keep }, { signal: caller.signal });
  const { executionId } = await stream.until("started");
  const { callId } = await stream.until("tool_call");
  return { stream, executionId, callId, drop: () => caller.abort() };
}

describe("a tool host", () => {
  it("that vanishes leaves its call open, and the next one gets it whole and answers it", async () => {
    await using t = await setUp({ ask });
    const first = await startAsking(t.acme, "ask");
    first.drop();
    const { executionId, callId } = first;
    const next = await attachStream(t.acme, {
      executionId,
      afterSequence: 2n,
      answerTools: true,
    });
    expect(next.attached).toEqual({
      lastSequence: 3,
      openCalls: [{ callId, callKey: "/1", tool: "weather", argumentsJson: '{"location":"NYC"}' }],
    });
    expect(await submit(t.acme, executionId, callId, '"sunny"')).toMatchObject({
      alreadyAnswered: false,
    });
    expect(await next.rest()).toMatchObject([
      { type: "tool_host_changed", sequence: 3, host: 2 },
      { type: "tool_result", sequence: 4, callId, resultJson: '"sunny"' },
      { type: "finished", outcome: { status: "completed", usage: { toolCalls: 1 } } },
    ]);
  });

  it("is given the calls that come, and those that were answered before are not asked again", async () => {
    await using t = await setUp({ askTwice });
    const first = await startAsking(t.acme, "askTwice");
    first.stream.answer({ callId: first.callId, resultJson: "1" });
    const second = await first.stream.until("tool_call");
    first.drop();
    const { executionId } = first;
    const next = await attachStream(t.acme, { executionId, answerTools: true });
    expect(next.attached.openCalls).toMatchObject([{ callId: second.callId }]);
    expect(next.attached.lastSequence).toBe(5);
    await submit(t.acme, executionId, second.callId, "2");
    const events = await next.rest();
    expect(events.map(({ type }) => type)).toEqual([
      "started",
      "tool_call",
      "tool_result",
      "tool_call",
      "tool_host_changed",
      "tool_result",
      "finished",
    ]);
  });

  it("that was replaced is refused: its answers have no effect, nor has closing its side", async () => {
    await using t = await setUp({ ask, askTwice });
    const first = await startAsking(t.acme, "askTwice");
    const { executionId, callId, stream } = first;
    const next = await attachStream(t.acme, { executionId, answerTools: true });
    expect(await stream.until("tool_host_changed")).toMatchObject({ host: 2 });
    stream.answer({ callId, resultJson: '"stale"' });
    await vi.waitFor(() => expect(t.server.stats().refusedToolAnswers).toBe(1));
    stream.end();
    // A side is closed a moment after it ends: this one, which ended later, has been closed.
    const other = await startAsking(t.acme, "ask");
    other.stream.end();
    expect(await other.stream.until("tool_result")).toMatchObject({
      error: { kind: "unavailable" },
    });
    await other.stream.rest();
    await submit(t.acme, executionId, callId, '"fresh"');
    const { callId: secondId } = await stream.until("tool_call");
    await submit(t.acme, executionId, secondId, '"fresh too"');
    const events = await next.rest();
    expect(events.filter(({ type }) => type === "tool_result")).toMatchObject([
      { resultJson: '"fresh"' },
      { resultJson: '"fresh too"' },
    ]);
    expect(await stream.rest()).toEqual(events);
  });

  it("is the newest of many, each of which the log tells", async () => {
    await using t = await setUp({ ask });
    const first = await startAsking(t.acme, "ask");
    const { executionId, callId } = first;
    const hosts = [];
    for (let host = 2; host <= 5; host++) {
      hosts.push(await attachStream(t.acme, { executionId, answerTools: true }));
    }
    expect(hosts.map(({ attached }) => attached.lastSequence)).toEqual([3, 4, 5, 6]);
    await submit(t.acme, executionId, callId, "1");
    for (const host of hosts) {
      const events = await host.rest();
      const changes = events.filter((event) => event.type === "tool_host_changed");
      expect(changes.map(({ host: number }) => number)).toEqual([2, 3, 4, 5]);
    }
    expect((await first.stream.rest()).at(-1)?.type).toBe("finished");
  });

  it("that closed its side is followed by one that answers again", async () => {
    const gate = Promise.withResolvers<void>();
    const late: Script = async ({ call }) => {
      const first = await call("weather", "{}");
      await gate.promise;
      return [first, await call("weather", "{}")];
    };
    await using t = await setUp({ late });
    const { stream, executionId } = await startAsking(t.acme, "late");
    stream.end();
    expect(await stream.until("tool_result")).toMatchObject({ error: { kind: "unavailable" } });
    const next = await attachStream(t.acme, { executionId, afterSequence: 3n, answerTools: true });
    gate.resolve();
    const { callId } = await next.until("tool_call");
    await submit(t.acme, executionId, callId, "3");
    await next.rest();
    expect((await stream.rest()).at(-2)).toMatchObject({ type: "tool_result", resultJson: "3" });
  });

  it("of a program that waits for its slot takes its place when it starts", async () => {
    await using t = await setUp({ ask }, { slots: 1 });
    const blocking = startStream(t.acme, { code: "forever" });
    await blocking.until("started");
    const stream = openInteractive(t.acme, { code: "ask", correlationId: "q", ...keep });
    const whole = stream.rest();
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(1));
    const { executions } = await t.acme.executor.listExecutions({ correlationId: "q" });
    const executionId = executions[0]?.executionId ?? "";
    const attaching = attachStream(t.acme, { executionId, answerTools: true });
    await vi.waitFor(() => expect(t.server.stats().followers).toBe(1));
    blocking.drop();
    const next = await attaching;
    expect(next.attached.lastSequence).toBeGreaterThanOrEqual(2);
    const call = next.attached.openCalls[0] ?? (await next.until("tool_call"));
    await submit(t.acme, executionId, call.callId, "4");
    expect(await next.rest()).toEqual(await whole);
  });

  it("of an ended log is none: nothing is added to it", async () => {
    await using t = await setUp({ four: () => 4 });
    const stream = startStream(t.acme, { code: "four" });
    const whole = await stream.rest();
    const next = await attachStream(t.acme, { executionId: stream.id(), answerTools: true });
    expect(next.attached).toEqual({ lastSequence: 2, openCalls: [] });
    expect(await next.rest()).toEqual(whole);
  });

  it("is not changed by an attach that is refused", async () => {
    await using t = await setUp({ ask });
    const { stream, executionId, callId } = await startAsking(t.acme, "ask");
    const beyond = { executionId, afterSequence: 99n, answerTools: true };
    expect((await failure(attachStream(t.acme, beyond))).code).toBe(Code.OutOfRange);
    stream.answer({ callId, resultJson: "1" });
    expect((await stream.rest()).map(({ type }) => type)).toEqual([
      "started",
      "tool_call",
      "tool_result",
      "finished",
    ]);
  });
});

describe("a watcher", () => {
  it("is given no calls to answer, and leaves the tool host as it is", async () => {
    await using t = await setUp({ ask });
    const { stream, executionId, callId } = await startAsking(t.acme, "ask");
    const watcher = await attachStream(t.acme, { executionId });
    expect(watcher.attached).toEqual({ lastSequence: 2, openCalls: [] });
    stream.answer({ callId, resultJson: '"by the host"' });
    expect(await watcher.rest()).toEqual(await stream.rest());
  });

  it("keeps a program whose tool host vanished; the call ends at its own limit", async () => {
    await using t = await setUp({ ask });
    const limits = { waitTimeout: toDuration(200) };
    const caller = new AbortController();
    const request = { code: "ask", tools: keep.tools, limits };
    const stream = openInteractive(t.acme, request, { signal: caller.signal });
    const { executionId } = await stream.until("started");
    await stream.until("tool_call");
    const watcher = await attachStream(t.acme, { executionId });
    caller.abort();
    const events = await watcher.rest();
    expect(events.slice(2)).toMatchObject([
      { type: "tool_result", error: { kind: "timeout" } },
      { type: "finished", outcome: { status: "completed" } },
    ]);
  });
});

describe("a call", () => {
  it.each([
    ["is reset", (stream: http2.ClientHttp2Stream) => stream.close(http2.constants.NGHTTP2_CANCEL)],
    ["loses its connection", (_: unknown, socket: net.Socket) => socket.end()],
    ["has its connection reset", (_: unknown, socket: net.Socket) => socket.resetAndDestroy()],
  ])("stays open when the interactive stream that was to answer it %s", async (_how, breakUp) => {
    await using t = await setUp({ ask });
    const upstream = net.connect(t.server.address.port, "127.0.0.1");
    const relay = net.createServer((socket) => socket.pipe(upstream).pipe(socket));
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    const session = http2.connect(`http://127.0.0.1:${(relay.address() as net.AddressInfo).port}`);
    session.on("error", () => {});
    const stream = session.request({
      ":method": "POST",
      ":path": "/codemode.v1.ExecutorService/ExecuteInteractive",
      "content-type": "application/grpc",
      te: "trailers",
      authorization: "Bearer acme-key",
    });
    stream.on("error", () => {});
    const request = { code: "ask", correlationId: "cut", ...keep };
    const message = create(ExecuteInteractiveRequestSchema, {
      message: { case: "start", value: { request } },
    });
    stream.write(envelope(toBinary(ExecuteInteractiveRequestSchema, message)));
    const list = () => t.acme.executor.listExecutions({ correlationId: "cut" });
    await t.executor.untilStarted("ask");
    const executionId = (await list()).executions[0]?.executionId ?? "";
    const watcher = await attachStream(t.acme, { executionId });
    const { callId } = await watcher.until("tool_call");
    breakUp(stream, upstream);
    // Its log line is the last thing of the call.
    await vi.waitFor(() =>
      expect(t.server.log).toContainEqual(
        expect.objectContaining({ method: "codemode.v1.ExecutorService/ExecuteInteractive" }),
      ),
    );
    await submit(t.acme, executionId, callId, '"found"');
    expect((await watcher.rest()).slice(2)).toMatchObject([
      { type: "tool_result", resultJson: '"found"' },
      { type: "finished", outcome: { status: "completed" } },
    ]);
    session.destroy();
    upstream.destroy();
    relay.close();
  });
});
