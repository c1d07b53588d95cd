import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Code, type ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  defineTool,
  getContext,
  serveTools,
  type ToolInfo,
  ToolRegistry,
} from "../../src/index.ts";
import { connectTools } from "./support/tool-service-client.ts";

const double = defineTool({
  name: "double",
  description: "Twice a number",
  inputSchema: z.object({ value: z.number() }),
  outputSchema: z.number(),
  readOnly: true,
  execute: async ({ value }) => value * 2,
});

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => Promise.reject(new Error("the call went well")),
    (error: ConnectError) => error,
  );

const read = (name: string) => readFileSync(new URL(`../support/tls/${name}`, import.meta.url));
const identity = () => ({ cert: read("localhost-cert.pem"), key: read("localhost-key.pem") });

describe("serveTools", () => {
  it("lists tools, with their schemas where they are asked for", async () => {
    await using server = await serveTools([double], { port: 0, apiKey: "k" });
    using client = connectTools(server.url, "k");
    const { tools } = await client.listTools({});
    expect(tools).toMatchObject([{ name: "double", readOnly: true, inputSchemaJson: "" }]);
    const whole = await client.listTools({ includeSchemas: true });
    const { tool } = await client.getToolSchema({ name: "double" });
    expect(whole.tools).toEqual([tool]);
    expect(JSON.parse(tool?.inputSchemaJson ?? "")).toMatchObject({ required: ["value"] });
    for (const call of [client.getToolSchema({ name: "x" }), client.callTool({ tool: "x" })]) {
      expect(await failureOf(call)).toMatchObject({ code: Code.NotFound });
    }
  });

  it("calls a tool under the execution's context, and tells it whose call it is", async () => {
    let info: ToolInfo | undefined;
    const tool = defineTool({
      name: "t",
      description: "d",
      async execute(_input, given) {
        info = given;
        await new Promise((resolve) => setImmediate(resolve));
        return [getContext(), given.context];
      },
    });
    await using server = await serveTools({ t: tool }, { port: 0, apiKey: "k" });
    using client = connectTools(server.url, "k");
    const context = { client_id: "acme", account: { id: 7 } };
    const request = { tool: "t", argumentsJson: "{}", context };
    const ids = { executionId: "e-1", callId: "c-1", correlationId: "k-1" };
    const { result } = await client.callTool({ ...request, ...ids });
    expect(JSON.parse(result.case === "resultJson" ? result.value : "")).toEqual([
      context,
      context,
    ]);
    expect(info).toMatchObject(ids);
    expect(Object.isFrozen(info?.context.account)).toBe(true);
  });

  it("keeps 500 interleaved calls of 20 tenants apart", async () => {
    const tool = defineTool({
      name: "who",
      description: "d",
      async execute(_input, { context }) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        return [getContext().client_id, context.client_id];
      },
    });
    await using server = await serveTools([tool], { port: 0, apiKey: "k" });
    using client = connectTools(server.url, "k");
    const answers = await Promise.all(
      Array.from({ length: 500 }, async (_, index) => {
        const tenant = `tenant-${index % 20}`;
        const call = { tool: "who", argumentsJson: "{}", context: { client_id: tenant } };
        const { result } = await client.callTool(call);
        return { tenant, result };
      }),
    );
    for (const { tenant, result } of answers) {
      expect(result.value).toBe(JSON.stringify([tenant, tenant]));
    }
  });

  it("answers with a failure where a tool fails, never with a status or a stack", async () => {
    const fail = defineTool({
      name: "fail",
      description: "d",
      execute() {
        throw new RangeError("too far");
      },
    });
    const large = defineTool({ name: "large", description: "d", execute: () => "x".repeat(200) });
    await using server = await serveTools([double, fail, large], {
      port: 0,
      apiKey: "k",
      toolPayloadBytes: 100,
    });
    using client = connectTools(server.url, "k");
    const errorOf = async (tool: string, argumentsJson: string) =>
      (await client.callTool({ tool, argumentsJson })).result.value;
    expect(await errorOf("fail", "{}")).toMatchObject({ message: "too far", type: "RangeError" });
    expect(await errorOf("double", '{"value":"x"}')).toMatchObject({
      message: "invalid arguments: $.value: Invalid input: expected number, received string",
    });
    expect(await errorOf("large", "{}")).toMatchObject({
      message: "invalid result: $: 202 bytes of JSON, at most 100 can be given back",
    });
    expect(await errorOf("double", "[]")).toMatchObject({
      message: expect.stringContaining("expected an object"),
    });
  });

  it("serves a registry as it is, and other tools as they were", async () => {
    const registry = new ToolRegistry();
    await using server = await serveTools(registry, { port: 0, apiKey: "k" });
    using client = connectTools(server.url, "k");
    expect((await client.listTools({})).tools).toEqual([]);
    registry.register(double);
    expect((await client.listTools({})).tools).toHaveLength(1);
    registry.remove("double");
    expect((await client.listTools({})).tools).toEqual([]);
  });

  it.each([undefined, "wrong", "k k", "K"])("refuses the key %s", async (key) => {
    let calls = 0;
    const tool = defineTool({ name: "t", description: "d", execute: () => ++calls });
    await using server = await serveTools([tool], { port: 0, apiKey: "k" });
    using client = connectTools(server.url, key);
    for (const call of [
      client.listTools({}),
      client.callTool({ tool: "t", argumentsJson: "{}" }),
    ]) {
      expect(await failureOf(call)).toMatchObject({ code: Code.Unauthenticated });
    }
    expect(calls).toBe(0);
  });

  it("aborts a handler's signal when the caller gives the call up, and when it is disposed", async () => {
    const called: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers()];
    const ended: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers()];
    let calls = 0;
    const tool = defineTool({
      name: "wait",
      description: "d",
      async execute(_input, { signal }) {
        const index = calls++;
        called[index]?.resolve();
        await once(signal, "abort");
        expect(signal.reason).toMatchObject({ kind: "cancelled", executionId: "e-1" });
        ended[index]?.resolve();
      },
    });
    const server = await serveTools([tool], { port: 0, apiKey: "k" });
    using client = connectTools(server.url, "k");
    const request = { tool: "wait", argumentsJson: "{}", executionId: "e-1" };
    const controller = new AbortController();
    const given = failureOf(client.callTool(request, { signal: controller.signal }));
    await called[0]?.promise;
    controller.abort();
    expect(await given).toMatchObject({ code: Code.Canceled });
    await ended[0]?.promise;
    const left = client.callTool(request).catch((error: unknown) => error);
    await called[1]?.promise;
    await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    await ended[1]?.promise;
    await left;
    using late = connectTools(server.url, "k");
    expect(await failureOf(late.listTools({}))).toMatchObject({ code: Code.Unavailable });
  });

  it("speaks TLS", async () => {
    const tls = identity();
    await using server = await serveTools([double], {
      port: 0,
      host: "localhost",
      apiKey: "k",
      tls,
    });
    expect(server.url).toBe(`https://localhost:${server.port}`);
    expect(server.target).toBe(`localhost:${server.port}`);
    using client = connectTools(server.url, "k", tls.cert);
    expect((await client.listTools({})).tools).toHaveLength(1);
  });

  it("refuses options that cannot be right, and a port that is taken", async () => {
    for (const [options, field] of [
      [{ apiKey: "" }, "apiKey"],
      [{ apiKey: "k", toolPayloadBytes: 9 * 2 ** 20 }, "toolPayloadBytes"],
    ] as const) {
      await expect(serveTools([double], { port: 0, ...options })).rejects.toMatchObject({
        kind: "invalid_request",
        violations: [{ field }],
      });
    }
    await using server = await serveTools([double], { port: 0, apiKey: "k" });
    const again = serveTools([double], { port: server.port, apiKey: "k" });
    await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
