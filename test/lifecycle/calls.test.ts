import http2 from "node:http2";
import net from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import {
  ExecuteRequestSchema,
  type ExecuteStreamResponse,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import { Stop } from "../../src/shared/stop.ts";
import { connectClient, envelope, failure } from "../support/client.ts";
import { createScriptedExecutor, forever } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const request = { code: "forever" };
const cancel = http2.constants.NGHTTP2_CANCEL;

async function first(stream: AsyncIterable<ExecuteStreamResponse>): Promise<string> {
  for await (const { event } of stream) {
    if (event?.event.case === "started") return event.event.value.executionId;
  }
  throw new Error("nothing started");
}

it("streams a program's events as they happen, and ends with its outcome", async () => {
  const release = Promise.withResolvers<void>();
  const scripted = createScriptedExecutor({
    two: async ({ print }) => {
      await print("one");
      await release.promise;
      await print("two", "stderr");
      return 2;
    },
  });
  await using server = await startServer({ executors: [scripted] });
  using client = connectClient(server.url);
  const seen: (string | undefined)[] = [];
  for await (const { event } of client.executor.executeStream({ request: { code: "two" } })) {
    seen.push(event?.event.case);
    if (event?.event.case === "output") release.resolve();
  }
  expect(seen).toEqual(["started", "output", "output", "finished"]);
});

it("ends a program that its caller cancels, with an outcome that says so", async () => {
  const scripted = createScriptedExecutor({ forever });
  await using server = await startServer({ executors: [scripted] });
  using client = connectClient(server.url);
  const answer = client.executor.execute({ request });
  const killed = scripted.untilKilled("forever");
  let executionId = "";
  const stream = client.executor.executeStream({ request });
  for await (const { event } of stream) {
    if (event?.event.case === "started") {
      executionId = event.event.value.executionId;
      await client.executor.cancelExecution({ executionId });
    }
    if (event?.event.case === "finished") {
      expect(event.event.value.outcome?.result).toMatchObject({
        case: "failure",
        value: { message: "the caller cancelled the execution" },
      });
    }
  }
  expect(await killed).toBeInstanceOf(Stop);
  expect(executionId).toContain(server.info().instanceId);
  expect(scripted.alive).toBe(1);
  await server[Symbol.asyncDispose]();
  expect((await answer).execution?.outcome?.result.case).toBe("failure");
});

it("kills the guest when its caller aborts the call", async () => {
  const scripted = createScriptedExecutor({ forever });
  await using server = await startServer({ executors: [scripted] });
  using client = connectClient(server.url);
  const controller = new AbortController();
  const started = scripted.untilStarted("forever");
  const killed = scripted.untilKilled("forever");
  const answer = failure(client.executor.execute({ request }, { signal: controller.signal }));
  await started;
  controller.abort();
  expect((await answer).code).toBe(Code.Canceled);
  await killed;
  await vi.waitFor(() => expect(server.stats().inUse).toBe(0));
});

it.each([
  ["the stream is reset", (stream: http2.ClientHttp2Stream) => stream.close(cancel)],
  ["the connection ends", (_: unknown, socket: net.Socket) => socket.end()],
  ["the connection breaks", (_: unknown, socket: net.Socket) => socket.resetAndDestroy()],
])("kills the guest when %s", async (_title, breakUp) => {
  const scripted = createScriptedExecutor({ forever });
  await using server = await startServer({ executors: [scripted] });
  // Node's own client never breaks a connection; a relay does.
  const upstream = net.connect(server.address.port, "127.0.0.1");
  const relay = net.createServer((socket) => socket.pipe(upstream).pipe(socket));
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const session = http2.connect(`http://127.0.0.1:${(relay.address() as net.AddressInfo).port}`);
  session.on("error", () => {});
  const started = scripted.untilStarted("forever");
  const killed = scripted.untilKilled("forever");
  const stream = session.request({
    ":method": "POST",
    ":path": "/codemode.v1.ExecutorService/Execute",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  const message = create(ExecuteRequestSchema, { request });
  stream.end(envelope(toBinary(ExecuteRequestSchema, message)));
  await started;
  breakUp(stream, upstream);
  await killed;
  await vi.waitFor(() => expect(server.stats().inUse).toBe(0));
  session.destroy();
  upstream.destroy();
  relay.close();
});

describe("a deadline", () => {
  it("is the caller's, and ends the call and the guest", async () => {
    const scripted = createScriptedExecutor({ forever });
    await using server = await startServer({ executors: [scripted] });
    using client = connectClient(server.url);
    const killed = scripted.untilKilled("forever");
    const error = await failure(client.executor.execute({ request }, { timeoutMs: 100 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    await killed;
  });

  it.each([
    ["the default where the caller sets none", undefined, "default deadline of 100 ms"],
    ["the longest where the caller's is longer", 20_000, "longest deadline of 150 ms"],
  ])("is %s", async (_title, timeoutMs, text) => {
    const scripted = createScriptedExecutor({ forever });
    const settings = { default_deadline_ms: 100, max_deadline_ms: 150 };
    await using server = await startServer({ executors: [scripted], settings });
    using client = connectClient(server.url);
    const error = await failure(
      client.executor.execute({ request }, timeoutMs === undefined ? {} : { timeoutMs }),
    );
    expect(error.code).toBe(Code.DeadlineExceeded);
    // The capped header ends the call through Connect's own timer, when that is the first to fire.
    expect([`the call took longer than the server's ${text}`, "the operation timed out"]).toContain(
      error.rawMessage,
    );
    await vi.waitFor(() => expect(scripted.alive).toBe(0));
  });

  it("beyond what a timer can hold is shortened, not refused", async () => {
    const scripted = createScriptedExecutor({ one: () => 1 });
    await using server = await startServer({ executors: [scripted] });
    using client = connectClient(server.url);
    const headers = { "grpc-timeout": "99999999H" };
    const answer = await client.executor.execute({ request: { code: "one" } }, { headers });
    expect(answer.execution?.outcome?.result.case).toBe("success");
  });
});

it("leaves no connection, lease or guest behind 200 calls of every kind", async () => {
  const scripted = createScriptedExecutor({
    forever,
    one: () => 1,
    bad: () => {
      throw new Error("no");
    },
  });
  await using server = await startServer({
    executors: [scripted],
    settings: { slots: 20, queue_size: 200 },
  });
  using client = connectClient(server.url);
  const { executor } = client;
  const kinds = [
    () => executor.execute({ request: { code: "one" } }),
    () => executor.execute({ request: { code: "bad" } }),
    () => failure(executor.execute({ request: { code: "" } })),
    () => failure(executor.execute({ request }, { timeoutMs: 30 })),
    async () => {
      const executionId = await first(executor.executeStream({ request }));
      await executor.cancelExecution({ executionId });
    },
  ];
  await Promise.all(Array.from({ length: 200 }, (_, index) => kinds[index % kinds.length]?.()));
  await vi.waitFor(() => expect(server.stats()).toMatchObject({ inUse: 0, queued: 0 }));
  expect(scripted.alive).toBe(0);
  expect(server.stats().connections).toBe(1);
});
