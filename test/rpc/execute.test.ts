import { toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { ExecuteResponseSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { BadRequestSchema, RetryInfoSchema } from "../../gen/es/google/rpc/error_details_pb.ts";
import type { Executor } from "../../src/executors/executor.ts";
import { pushbackTrailer } from "../../src/shared/status.ts";
import { createScriptedExecutor, type Script } from "../support/scripted-executor.ts";
import { setUpService as setUp, statusOf } from "../support/service.ts";

describe("Execute", () => {
  it("answers with the execution and what it wrote", async () => {
    const greet: Script = async ({ print }) => {
      await print("hello\n");
      await print("oh\n", "stderr");
      return { a: 1 };
    };
    await using t = setUp({ greet });
    const { execution, stdout, stderr } = await t.client.execute({ request: { code: "greet" } });
    expect({ stdout, stderr }).toEqual({ stdout: "hello\n", stderr: "oh\n" });
    expect(execution).toMatchObject({
      executionId: expect.stringMatching(/^i-7-/),
      correlationId: "c-1",
      instanceId: "i-7",
      language: "python",
      outcome: {
        result: { case: "success", value: { resultJson: '{"a":1}' } },
        engine: "scripted",
      },
    });
  });

  it("is OK for a program that fails", async () => {
    const fail: Script = () => {
      throw new RangeError("too far");
    };
    await using t = setUp({ fail });
    const { execution } = await t.client.execute({ request: { code: "fail" } });
    expect(execution?.outcome?.result).toMatchObject({
      case: "failure",
      value: { type: "RangeError", message: "too far", line: 1 },
    });
  });

  it("gives the first MiB of each channel, counts the rest, and stays below 4 MiB", async () => {
    const flood: Script = async ({ print }) => {
      for (let part = 0; part < 50; part++) {
        await print("é".repeat(25_000));
        await print("x".repeat(50_000), "stderr");
      }
      return "y".repeat(500_000);
    };
    await using t = setUp({ flood });
    const response = await t.client.execute({ request: { code: "flood" } });
    const bytes = Buffer.byteLength(response.stdout);
    expect(bytes).toBe(1024 * 1024);
    expect(response.stdoutOmittedBytes).toBe(BigInt(2_500_000 - bytes));
    expect(response.stderr).toBe("x".repeat(1024 * 1024));
    expect(response.stderrOmittedBytes).toBe(2_500_000n - 1_048_576n);
    expect(toBinary(ExecuteResponseSchema, response).length).toBeLessThan(4 * 1024 * 1024);
  });

  it("tells the ids in trailers", async () => {
    await using t = setUp();
    let trailer = new Headers();
    const onTrailer = (headers: Headers) => {
      trailer = headers;
    };
    const { execution } = await t.client.execute({ request: { code: "four" } }, { onTrailer });
    expect(trailer.get("x-execution-id")).toBe(execution?.executionId);
    expect(trailer.get("x-correlation-id")).toBe("c-1");
  });

  it("takes the correlation id of the request over the call's", async () => {
    await using t = setUp();
    const request = { code: "four", correlationId: "own-1" };
    const { execution } = await t.client.execute({ request });
    expect(execution?.correlationId).toBe("own-1");
  });

  it("takes variables of 32 levels over the wire", async () => {
    const read: Script = ({ program }) => program.context;
    await using t = setUp({ read });
    let context = {};
    for (let level = 1; level < 32; level++) context = { a: context };
    const { execution } = await t.client.execute({ request: { code: "read", context } });
    expect(execution?.outcome?.result.value).toMatchObject({ resultJson: JSON.stringify(context) });
  });

  it("names every violation of a bad request", async () => {
    await using t = setUp();
    const status = await statusOf(
      t.client.execute({ request: { language: "cobol", limits: { threads: 1_000 } } }),
    );
    expect(status.code).toBe(Code.InvalidArgument);
    const [detail] = status.findDetails(BadRequestSchema);
    expect(detail?.fieldViolations.map(({ field }) => field)).toEqual([
      "request.code",
      "request.language",
      "request.limits.threads",
    ]);
    expect((await statusOf(t.client.execute({}))).code).toBe(Code.InvalidArgument);
  });

  it("runs a request with an id once, and says AlreadyExists to another of that id", async () => {
    await using t = setUp();
    const request = { code: "four", requestId: "r-1" };
    const first = await t.client.execute({ request });
    const second = await t.client.execute({ request });
    expect(second).toEqual(first);
    expect(t.executor.started).toEqual(["four"]);
    const status = await statusOf(t.client.execute({ request: { ...request, code: "five" } }));
    expect(status).toMatchObject({
      code: Code.AlreadyExists,
      rawMessage: "the request_id is that of a request with another request.code",
    });
  });

  it("says ResourceExhausted, with the time to come back, when it is full", async () => {
    await using t = setUp();
    const started = t.executor.untilStarted("forever");
    const caller = new AbortController();
    const running = statusOf(
      t.client.execute({ request: { code: "forever" } }, { signal: caller.signal }),
    );
    await started;
    const status = await statusOf(t.client.execute({ request: { code: "four" } }));
    expect(status.code).toBe(Code.ResourceExhausted);
    expect(status.findDetails(RetryInfoSchema)).toHaveLength(1);
    caller.abort();
    expect((await running).code).toBe(Code.Canceled);
  });

  it("says Aborted, with the push-back, for an execution that it lost, and masks why", async () => {
    const broken: Executor = {
      ...createScriptedExecutor({}),
      run: () => ({
        deliver() {},
        async *[Symbol.asyncIterator]() {
          yield { type: "started" } as const;
          yield { type: "output", channel: "stdout", text: "x" };
          throw new Error("connect /run/secret.sock");
        },
      }),
    };
    await using t = setUp({}, broken);
    const status = await statusOf(t.client.execute({ request: { code: "x" } }));
    expect(status).toMatchObject({
      code: Code.Aborted,
      rawMessage: "the execution was lost after it had started",
    });
    expect(status.metadata.get(pushbackTrailer)).toBe("-1");
  });

  it("masks a fault of the service's own", async () => {
    const broken: Executor = {
      ...createScriptedExecutor({}),
      info() {
        throw new Error("password in here");
      },
    };
    await using t = setUp({}, broken);
    const status = await statusOf(t.client.execute({ request: { code: "x" } }));
    expect(status).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
  });
});
