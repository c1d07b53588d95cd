import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  AttachExecutionRequestSchema,
  ExecuteRequestSchema,
  ExecuteStreamRequestSchema,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import { connectClient, envelope, rawRequest } from "../support/client.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const service = "/codemode.v1.ExecutorService";
const request = { code: "four" };
const execute = (code: string) =>
  envelope(toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { request: { code } })));
const stream = envelope(
  toBinary(ExecuteStreamRequestSchema, create(ExecuteStreamRequestSchema, { request })),
);
const attach = envelope(
  toBinary(
    AttachExecutionRequestSchema,
    create(AttachExecutionRequestSchema, { executionId: "none" }),
  ),
);
const key = "Bearer acme-key";
const settings = { api_keys: [{ key: "acme-key", tenant: "acme" }] };
const setUp = () =>
  startServer({ executors: [createScriptedExecutor({ four: () => 4 })], settings });

describe("the instance of the server", () => {
  it.each([
    ["a unary call", "Execute", execute("four"), "0"],
    ["a stream", "ExecuteStream", stream, "0"],
    ["a call that is refused", "Execute", execute(""), "3"],
    ["a stream that is refused", "AttachExecution", attach, "5"],
    ["a message that is none", "Execute", envelope(Buffer.from("no message")), "13"],
    ["a message that is too large", "Execute", Buffer.from([0, 255, 255, 255, 255]), "8"],
  ])("is in the trailers of %s", async (_what, method, body, status) => {
    await using server = await setUp();
    const headers = {
      ":path": `${service}/${method}`,
      "content-type": "application/grpc",
      authorization: key,
    };
    const { frames } = await rawRequest(server.url, headers, body);
    expect(frames.at(-1)?.headers).toMatchObject({
      "grpc-status": status,
      "codemode-instance": server.info().instanceId,
    });
  });

  it.each(["/codemode.v1.ExecutorService/Execute", "/grpc.health.v1.Health/Check"])(
    "is in the trailers of a call without a key to %s",
    async (path) => {
      await using server = await setUp();
      const headers = { ":path": path, "content-type": "application/grpc" };
      const { frames } = await rawRequest(server.url, headers, envelope(new Uint8Array()));
      expect(frames.at(-1)?.headers["codemode-instance"]).toBe(server.info().instanceId);
    },
  );

  it.each([
    ["well", { code: "four" }, 200],
    ["badly", { code: "" }, 400],
  ])("is in the answer of Connect to a call that goes %s", async (_how, program, status) => {
    await using server = await setUp();
    const response = await fetch(`${server.url}${service}/Execute`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: key },
      body: JSON.stringify({ request: program }),
    });
    expect(response.status).toBe(status);
    await response.text();
    expect(response.headers.get("trailer-codemode-instance")).toBe(server.info().instanceId);
  });

  it("is in the trailers that a client sees", async () => {
    await using server = await setUp();
    using client = connectClient(server.url, "acme-key");
    let trailer = new Headers();
    const onTrailer = (headers: Headers) => {
      trailer = headers;
    };
    await client.executor.getServerInfo({}, { onTrailer });
    expect(trailer.get("codemode-instance")).toBe(server.info().instanceId);
  });
});
