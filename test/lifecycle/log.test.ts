import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { connectClient, failure } from "../support/client.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

describe("a correlation id", () => {
  it.each([
    ["is the caller's when it is well-formed", "Trace_1.a-b", "Trace_1.a-b"],
    ["is made when there is none", undefined, /^[0-9a-f-]{36}$/],
    ["is made when the caller's is malformed", "a b", /^[0-9a-f-]{36}$/],
    ["is made when the caller's is too long", "x".repeat(129), /^[0-9a-f-]{36}$/],
  ])("%s; it is in trailers, outcome and log", async (_title, given, expected) => {
    await using server = await startServer({
      executors: [createScriptedExecutor({ one: () => 1 })],
    });
    using client = connectClient(server.url);
    let trailer = new Headers();
    const { execution } = await client.executor.execute(
      { request: { code: "one" } },
      {
        ...(given === undefined ? {} : { headers: { "x-correlation-id": given } }),
        onTrailer: (headers) => {
          trailer = headers;
        },
      },
    );
    const id = trailer.get("x-correlation-id");
    expect(id).toMatch(expected);
    expect(execution?.correlationId).toBe(id);
    expect(server.log.at(-1)).toMatchObject({ msg: "call", correlationId: id });
  });

  it("comes with an error too", async () => {
    await using server = await startServer({ executors: [createScriptedExecutor({})] });
    using client = connectClient(server.url);
    const headers = { "x-correlation-id": "trace-9" };
    const error = await failure(client.executor.execute({ request: { code: "" } }, { headers }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.metadata.get("x-correlation-id")).toBe("trace-9");
  });
});

describe("the log", () => {
  it("has one line for each call, without code, context or output in it", async () => {
    const scripted = createScriptedExecutor({
      "secret code": async ({ print }) => {
        await print("secret output");
        return "secret result";
      },
    });
    await using server = await startServer({ executors: [scripted] });
    using client = connectClient(server.url);
    const { execution } = await client.executor.execute({
      request: { code: "secret code", context: { client: "secret context" } },
    });
    expect(server.log.filter(({ msg }) => msg === "call")).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        msg: "call",
        method: "codemode.v1.ExecutorService/Execute",
        tenant: "default",
        code: "ok",
        ms: expect.any(Number),
        correlationId: execution?.correlationId,
        executionId: execution?.executionId,
      },
    ]);
    expect(JSON.stringify(server.log)).not.toContain("secret");
  });

  it("has the cause of a fault of the service, which the caller is not told", async () => {
    const scripted = createScriptedExecutor({});
    const executor = {
      ...scripted,
      info: () => {
        if (server !== undefined) throw new Error("the inner cause");
        return scripted.info();
      },
    };
    let server: Awaited<ReturnType<typeof startServer>> | undefined;
    server = await startServer({ executors: [executor] });
    await using _ = server;
    using client = connectClient(server.url);
    const error = await failure(client.executor.getServerInfo({}));
    expect(error.code).toBe(Code.Internal);
    expect(error.rawMessage).toBe("internal error");
    expect(JSON.stringify([...error.metadata, ...error.details])).not.toContain("inner cause");
    expect(server.log).toContainEqual(
      expect.objectContaining({
        level: 50,
        err: expect.objectContaining({ message: "the inner cause" }),
      }),
    );
  });
});
