import http from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { rawRequest } from "../support/client.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";
import { startServer, type TestServer } from "../support/server.ts";

const scripts = { one: () => 1 };
const path = "/codemode.v1.ExecutorService/Execute";
const start = (settings = {}) =>
  startServer({ executors: [createScriptedExecutor(scripts)], settings });

/** Asks over HTTP/1.1 with headers that `fetch` would not let a page choose. */
async function ask(
  server: TestServer,
  headers: Readonly<Record<string, string>>,
  route = path,
): Promise<{ status: number | undefined; body: string }> {
  const request = http.request(`${server.url}${route}`, {
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json", ...headers },
  });
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  request.end(JSON.stringify({ request: { code: "one" } }));
  const response = await answered;
  return { status: response.statusCode, body: await text(response) };
}

describe("a service without keys", () => {
  it.each([
    [{ host: "evil.example" }, 403],
    [{ host: "evil.example", origin: "http://evil.example" }, 403],
    [{ host: "127.0.0.1.evil.example:8001" }, 403],
    [{ host: "10.0.0.1:8001" }, 403],
    [{ host: "localhost" }, 200],
    [{ host: "LOCALHOST:9" }, 200],
    [{ host: "app.localhost" }, 200],
    [{ host: "127.9.9.9:1" }, 200],
    [{ host: "[::1]:8001" }, 200],
    [{ host: "localhost:1", origin: "http://localhost:1" }, 200],
    [{ host: "localhost:1", origin: "http://localhost:2" }, 403],
    [{ host: "localhost:1", origin: "https://localhost:1" }, 403],
    [{ host: "localhost:1", origin: "null" }, 403],
    [{ host: "localhost:1", origin: "https://app.example" }, 200],
    [{ host: "localhost:1", origin: "https://app.example.evil.example" }, 403],
  ])("answers a request with %j with %i", async (headers, status) => {
    await using server = await start({ allowed_origins: ["https://app.example"] });
    const answer = await ask(server, headers);
    expect(answer.status, answer.body).toBe(status);
    const programs = server.log.filter(({ method }) => String(method).endsWith("/Execute"));
    expect(programs).toHaveLength(status === 200 ? 1 : 0);
  });

  it("says what is wrong with the Host and with the Origin", async () => {
    await using server = await start();
    expect((await ask(server, { host: "evil.example" })).body).toBe(
      'the Host "evil.example" is not a loopback address, and no api keys are configured\n',
    );
    expect((await ask(server, { host: "localhost", origin: "http://evil.example" })).body).toBe(
      'the Origin "http://evil.example" is not this service\'s own and not one of allowed_origins\n',
    );
  });

  it.each([path, "/", "/grpc.health.v1.Health/Check", "/anything/else"])(
    "answers no page of another name, on any route: %s",
    async (route) => {
      await using server = await start();
      expect((await ask(server, { host: "evil.example" }, route)).status).toBe(403);
      const { frames } = await rawRequest(server.url, {
        ":path": route,
        ":authority": "evil.example",
        "content-type": "application/grpc",
      });
      expect(frames[0]?.headers[":status"]).toBe(403);
    },
  );

  it("answers before it has read the body", async () => {
    await using server = await start();
    const request = http.request(`${server.url}${path}`, {
      method: "POST",
      agent: false,
      headers: { host: "evil.example", "content-length": "1000000" },
    });
    request.on("error", () => {}); // the connection is closed
    request.flushHeaders();
    const response = await new Promise<http.IncomingMessage>((resolve) =>
      request.once("response", resolve),
    );
    expect(response.statusCode).toBe(403);
    response.resume();
    request.destroy();
  });
});

it("asks a service with keys for a key, whatever its name is", async () => {
  await using server = await start({ api_keys: [{ key: "key-of-acme", tenant: "acme" }] });
  const headers = { host: "codemode.example", origin: "https://other.example" };
  expect((await ask(server, headers)).status).toBe(401);
  expect((await ask(server, { ...headers, "x-api-key": "key-of-acme" })).status).toBe(200);
});

describe("a request with too many headers", () => {
  const many = Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`x-${n}`, "1"]));
  const large = { "x-large": "x".repeat(40_000) };

  it.each([
    ["many", many, "headers of"],
    ["large ones", large, "the request's headers are larger than 16384 bytes"],
  ])("is told so over HTTP/1.1: %s", async (_title, headers, words) => {
    await using server = await start();
    const answer = await ask(server, headers);
    expect(answer.status).toBe(431);
    expect(answer.body).toContain(words);
  });

  it.each([
    ["many", many],
    ["large ones", large],
  ])("is told so over HTTP/2: %s", async (_title, headers) => {
    await using server = await start();
    const { frames, bytes } = await rawRequest(server.url, {
      ":path": path,
      "content-type": "application/grpc",
      ...headers,
    });
    expect(frames[0]?.headers[":status"]).toBe(431);
    expect(bytes).toBeGreaterThan(50);
  });
});

describe("an unknown method", () => {
  it("is told what there is, over gRPC and over HTTP/1.1", async () => {
    await using server = await start();
    const words =
      'unknown method "/codemode.ExecutorService/Execute": this is Codemode, which serves codemode.v1.ExecutorService, grpc.health.v1.Health';
    const route = "/codemode.ExecutorService/Execute";
    expect(await ask(server, {}, route)).toEqual({ status: 404, body: `${words}\n` });
    const { frames } = await rawRequest(server.url, {
      ":path": route,
      "content-type": "application/grpc",
    });
    const { headers } = frames[0] ?? {};
    expect(headers?.["grpc-status"]).toBe("12");
    expect(decodeURI(String(headers?.["grpc-message"]))).toBe(words);
  });

  it("is one line of the log, however often it is called at once", async () => {
    await using server = await start();
    const route = `/${"long".repeat(100)}`;
    await Promise.all(Array.from({ length: 20 }, () => ask(server, {}, route)));
    const lines = server.log.filter(({ msg }) => msg === "unknown methods were called");
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(5);
    expect(lines[0]).toMatchObject({ path: JSON.stringify(route.slice(0, 128)), count: 1 });
  });
});
