import { create, toBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ExecuteRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { envelope, rawRequest } from "../support/client.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const executePath = "/codemode.v1.ExecutorService/Execute";
const grpc = { ":path": executePath, "content-type": "application/grpc" };
const execute = (code: string) =>
  envelope(toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { request: { code } })));

it.each([
  ["a bad request", { ...grpc }, execute(""), "3"],
  ["a message that does not parse", { ...grpc }, envelope(Buffer.from([0xff])), "13"],
  ["a message above the limit", { ...grpc }, envelope(Buffer.alloc(9 * 1024 * 1024)), "8"],
  ["an unknown compression", { ...grpc, "grpc-encoding": "zip" }, execute("one"), "12"],
  [
    "a content type with a codec",
    { ...grpc, "content-type": "application/grpc+proto" },
    execute(""),
    "3",
  ],
  [
    "an unknown method",
    { ...grpc, ":path": "/codemode.v1.ExecutorService/Nothing" },
    execute(""),
    "12",
  ],
])(
  "answers %s with one HEADERS frame that ends the stream",
  async (_title, headers, body, status) => {
    await using server = await startServer({ executors: [createScriptedExecutor({})] });
    const { frames, bytes } = await rawRequest(server.url, headers, body);
    expect(frames).toEqual([
      { isEnd: true, headers: expect.objectContaining({ ":status": 200, "grpc-status": status }) },
    ]);
    expect(bytes).toBe(0);
  },
);

it("answers a program that ran with headers, a message and trailers", async () => {
  const scripted = createScriptedExecutor({ one: () => 1 });
  await using server = await startServer({ executors: [scripted] });
  const { frames } = await rawRequest(server.url, grpc, execute("one"));
  expect(frames.map(({ isEnd }) => isEnd)).toEqual([false, true]);
  expect(frames[0]?.headers).not.toHaveProperty("grpc-status");
  expect(frames[1]?.headers["grpc-status"]).toBe("0");
});

it("sends response headers when the program starts, for a unary call too", async () => {
  const release = Promise.withResolvers<void>();
  const scripted = createScriptedExecutor({ held: () => release.promise });
  await using server = await startServer({ executors: [scripted] });
  const http2 = await import("node:http2");
  const session = http2.connect(server.url);
  const stream = session.request({ ":method": "POST", te: "trailers", ...grpc });
  stream.end(execute("held"));
  await new Promise((resolve) => stream.once("response", resolve));
  expect(scripted.alive).toBe(1);
  release.resolve();
  const trailers = await new Promise<Record<string, unknown>>((resolve) => {
    stream.once("trailers", resolve);
    stream.resume();
  });
  expect(trailers["grpc-status"]).toBe("0");
  session.close();
});

it("compresses the answer of a committed call as its headers say", async () => {
  const scripted = createScriptedExecutor({
    much: async ({ print }) => {
      await print("x".repeat(100_000));
    },
  });
  await using server = await startServer({ executors: [scripted] });
  const headers = { ...grpc, "grpc-accept-encoding": "gzip" };
  const { frames, bytes } = await rawRequest(server.url, headers, execute("much"));
  expect(frames[0]?.headers["grpc-encoding"]).toBe("gzip");
  expect(bytes).toBeLessThan(10_000);
});

it.each([
  ["gRPC-web", "application/grpc-web+proto"],
  ["Connect", "application/proto"],
])("leaves %s as it is", async (_title, contentType) => {
  await using server = await startServer({ executors: [createScriptedExecutor({})] });
  const headers = { ...grpc, "content-type": contentType };
  const { frames, bytes } = await rawRequest(server.url, headers, new Uint8Array());
  expect(frames[0]?.isEnd).toBe(false);
  expect(frames[0]?.headers).not.toHaveProperty("grpc-status");
  expect(bytes).toBeGreaterThan(0);
});
