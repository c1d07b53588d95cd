import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, it, vi } from "vitest";
import { ExecutorService } from "../../gen/es/codemode/v1/executor_pb.ts";
import { envelope, failure, rawRequest } from "../support/client.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const request = { code: "one" };
const scripts = { one: () => 1 };
const api_keys = [{ key: "key-of-acme", tenant: "acme" }];

it("does not start on a port that is taken, and leaves nothing behind", async () => {
  const executors = [createScriptedExecutor(scripts)];
  await using server = await startServer({ executors });
  const settings = { port: server.address.port };
  await expect(startServer({ executors, settings })).rejects.toThrow("EADDRINUSE");
});

describe("one port", () => {
  it("serves Connect's JSON over HTTP/1.1, as curl would ask", async () => {
    await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
    const response = await fetch(`${server.url}/codemode.v1.ExecutorService/Execute`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-correlation-id": "trace-1" },
      body: JSON.stringify({ request }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("trailer-x-correlation-id")).toBe("trace-1");
    expect(await response.json()).toMatchObject({
      execution: { outcome: { success: { resultJson: "1" } } },
    });
  });

  it("refuses a field that it does not know, by name: a misspelled limit is not a missing one", async () => {
    await using server = await startServer();
    const response = await fetch(`${server.url}/codemode.v1.ExecutorService/Execute`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ request: { code: "1", timeout: 5 } }),
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('\\"timeout\\"');
  });

  it("answers a bad request over HTTP/1.1 with every violation as JSON", async () => {
    await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
    const response = await fetch(`${server.url}/codemode.v1.ExecutorService/Execute`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ request: { code: "", language: "cobol" } }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_argument" });
  });

  it.each([
    ["gRPC-web over HTTP/1.1", createGrpcWebTransport, "1.1"],
    ["gRPC-web over HTTP/2", createGrpcWebTransport, "2"],
    ["Connect over HTTP/1.1", createConnectTransport, "1.1"],
    ["Connect over HTTP/2", createConnectTransport, "2"],
  ] as const)(
    "serves %s: unary, stream and error",
    async (_title, createTransport, httpVersion) => {
      await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
      const client = createClient(
        ExecutorService,
        createTransport({ baseUrl: server.url, httpVersion }),
      );
      const { execution } = await client.execute({ request });
      expect(execution?.outcome?.result.case).toBe("success");
      const seen: (string | undefined)[] = [];
      for await (const { event } of client.executeStream({ request })) seen.push(event?.event.case);
      expect(seen).toEqual(["started", "finished"]);
      const error = await failure(client.execute({ request: { code: "" } }));
      expect(error.code).toBe(Code.InvalidArgument);
    },
  );

  it.each([
    ["a TLS client hello", "\x16\x03\x01\x02\x00\x01"],
    ["zeros", "\0\0\0\0"],
    ["lower case text", "hello\r\n"],
  ])("hangs up on %s", async (_title, bytes) => {
    await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
    const socket = net.connect(server.address.port, "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {});
    socket.resume().write(Buffer.from(bytes, "latin1"));
    await closed;
  });

  it("answers what is nearly HTTP with 400", async () => {
    await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
    const socket = net.connect(server.address.port, "127.0.0.1");
    socket.write("NONSENSE\r\n\r\n");
    const chunks = await socket.toArray();
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("knows HTTP/2 by a preface that comes byte by byte", async () => {
    await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
    const socket = net.connect(server.address.port, "127.0.0.1");
    socket.setNoDelay(true);
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    for (const byte of Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings])) {
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
      await new Promise(setImmediate);
    }
    const [answer] = await new Promise<Buffer[]>((resolve) =>
      socket.once("data", (chunk: Buffer) => resolve([chunk])),
    );
    // The fourth byte of a frame is its type; a server begins with SETTINGS.
    expect(answer?.[3]).toBe(4);
    socket.destroy();
  });

  it("forgets a silent connection when it closes", async () => {
    await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
    const socket = net.connect(server.address.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    await server[Symbol.asyncDispose]();
    await closed;
  });
});

it("refuses a message above the limit over HTTP/1.1", async () => {
  await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
  const response = await fetch(`${server.url}/codemode.v1.ExecutorService/Execute`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ request: { code: "x".repeat(9 * 1024 * 1024) } }),
  });
  expect(response.status).toBe(429);
  expect(await response.json()).toMatchObject({ code: "resource_exhausted" });
});

it.each([
  ["Connect, above the limit", "application/proto", undefined, "429", undefined],
  ["gRPC, above the limit", "application/grpc", undefined, "200", "8"],
  ["Connect, without a key", "application/proto", api_keys, "401", undefined],
  ["gRPC, without a key", "application/grpc", api_keys, "200", "16"],
])(
  "refuses a message over HTTP/2 (%s), and wants no more of it",
  async (_title, type, keys, ...status) => {
    const settings = keys === undefined ? {} : { api_keys: keys };
    await using server = await startServer({
      executors: [createScriptedExecutor(scripts)],
      settings,
    });
    const headers = { ":path": "/codemode.v1.ExecutorService/Execute", "content-type": type };
    const body = envelope(new Uint8Array(9 * 1024 * 1024));
    // It resolves when the stream is closed, which the client alone could not do.
    const { frames } = await rawRequest(server.url, headers, body);
    const [answer] = frames;
    expect([String(answer?.headers[":status"]), answer?.headers["grpc-status"]]).toEqual(status);
    await vi.waitFor(() => expect(server.stats().connections).toBe(0));
  },
);

describe("an HTTP/2 connection", () => {
  it("is told the bounds of the server", async () => {
    await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
    const session = http2.connect(server.url);
    await once(session, "remoteSettings");
    expect(session.remoteSettings).toMatchObject({
      maxConcurrentStreams: 2_048,
      initialWindowSize: 1024 * 1024,
      maxHeaderListSize: 64 * 1024,
    });
    await vi.waitFor(() => expect(session.state.remoteWindowSize).toBe(1024 * 1024));
    session.destroy();
  });

  it("outlives 3,000 calls that their caller cancelled", async () => {
    await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
    const session = http2.connect(server.url);
    const call = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
    for (let batch = 0; batch < 30; batch += 1) {
      const closed = Array.from({ length: 100 }, () => {
        const stream = session.request({ ...call, ":path": "/grpc.health.v1.Health/Watch" });
        stream.on("error", () => {});
        stream.close(http2.constants.NGHTTP2_CANCEL);
        return new Promise((resolve) => stream.once("close", resolve));
      });
      await Promise.all(closed);
    }
    await new Promise<void>((resolve, reject) =>
      session.ping((error) => (error === null ? resolve() : reject(error))),
    );
    expect(session.closed).toBe(false);
    session.destroy();
  });
});
