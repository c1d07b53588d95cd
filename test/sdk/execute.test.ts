import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  Codemode,
  CodemodeError,
  CodemodeTimeoutError,
  ExecutionFailed,
  unwrap,
} from "../../src/index.ts";
import type { ErrorKind } from "../../src/shared/errors.ts";
import { correlationHeader, toConnectError } from "../../src/shared/status.ts";
import { toServerInfoMessage } from "../../src/shared/wire/server-info.ts";
import { answer, executionId, failure, success } from "./support/messages.ts";
import { type Script, startScriptedService } from "./support/scripted-service.ts";

/** A service that answers every program with this, and remembers what it was asked. */
async function serve(execute: NonNullable<Script["execute"]>) {
  const asked: { request: Parameters<typeof execute>[0]["request"]; header: Headers }[] = [];
  const service = await startScriptedService({
    execute(message, context) {
      asked.push({ request: message.request, header: context.requestHeader });
      return execute(message, context);
    },
  });
  return Object.assign(service, { asked });
}

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error("nothing was thrown")),
    (error: unknown) => error,
  );

describe("execute", () => {
  it("gives a completed result with its value, its output and how it ran", async () => {
    await using service = await serve((_, { requestHeader }) =>
      answer(success("4"), requestHeader.get(correlationHeader) ?? ""),
    );
    await using codemode = Codemode.connect({ url: service.url });
    expect(await codemode.execute("result = 2 + 2", { correlationId: "c-1" })).toEqual({
      conversions: [],
      notes: [],
      status: "completed",
      value: 4,
      text: "4",
      type: "int",
      stdout: "out\n",
      stderr: "err\n",
      stdoutOmittedBytes: 7,
      stderrOmittedBytes: 0,
      usage: { wallMs: 12, cpuMs: 3, peakMemoryBytes: 4096, outputBytes: 5, toolCalls: 0 },
      executionId,
      correlationId: "c-1",
      engine: "scripted",
      isolationTier: "T2",
      warnings: [],
    });
  });

  it("gives a program's failure as a result", async () => {
    await using service = await serve(() => answer(failure("exception", "boom")));
    await using codemode = Codemode.connect({ url: service.url });
    const result = await codemode.execute("1 / 0");
    expect(result).toMatchObject({ status: "failed", error: { reason: "exception" } });
    expect(() => unwrap(result)).toThrow(ExecutionFailed);
  });

  it("sends code, language, context, config and limits", async () => {
    await using service = await serve(() => answer(success("1")));
    await using codemode = Codemode.connect({ url: service.url, apiKey: "k1" });
    await codemode.execute({
      code: "1",
      language: "python",
      context: { client_id: "acme" },
      config: { depth: 2 },
      limits: { wallMs: 1500, memoryBytes: 1024, threads: undefined },
      headers: { "x-team": "blue" },
    });
    expect(service.asked[0]?.request).toMatchObject({
      code: "1",
      language: "python",
      context: { client_id: "acme" },
      config: { depth: 2 },
      limits: { wallTimeout: { seconds: 1n, nanos: 500_000_000 }, memoryBytes: 1024n, threads: 0 },
    });
    const header = service.asked[0]?.header;
    expect(header?.get("authorization")).toBe("Bearer k1");
    expect(header?.get("x-team")).toBe("blue");
    expect(header?.get(correlationHeader)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("lets options win over a request", async () => {
    await using service = await serve(() => answer(success("1")));
    await using codemode = Codemode.connect({ url: service.url });
    await codemode.execute({ code: "1", language: "python" }, { language: "typescript" });
    await codemode.execute({ code: "1", language: "python" }, { language: undefined });
    expect(service.asked.map(({ request }) => request?.language)).toEqual(["typescript", "python"]);
  });

  it("types and checks the value by a schema", async () => {
    await using service = await serve(() => answer(success('{"n": 1}')));
    await using codemode = Codemode.connect({ url: service.url });
    const good = await codemode.execute("x", { output: z.object({ n: z.number() }) });
    expect(unwrap(good).n).toBe(1);
    const bad = await codemode.execute({ code: "x", output: z.object({ n: z.string() }) });
    expect(bad).toMatchObject({
      status: "failed",
      error: { reason: "invalid_output", message: expect.stringContaining("$.n: ") },
    });
  });

  it("refuses what a request cannot carry before anything is sent, naming every fault", async () => {
    await using service = await serve(() => answer(success("1")));
    await using codemode = Codemode.connect({ url: service.url });
    const error = await rejection(
      codemode.execute("1", {
        context: { account: { id: 2 ** 53 } },
        config: { ratio: Number.NaN },
        limits: { memoryBytes: 0.5, wallMs: -1 },
        correlationId: "a b",
        timeoutMs: 0,
      }),
    );
    expect(error).toBeInstanceOf(CodemodeError);
    expect(error).toMatchObject({
      kind: "invalid_request",
      violations: [
        { field: "context.account.id" },
        { field: "config.ratio" },
        { field: "limits.memoryBytes" },
        { field: "limits.wallMs" },
        { field: "timeoutMs" },
        { field: "correlationId" },
      ],
    });
    expect(service.connections).toBe(0);
  });

  it.each<[ErrorKind, boolean]>([
    ["invalid_request", false],
    ["unauthenticated", false],
    ["permission_denied", false],
    ["not_found", false],
    ["unsupported", false],
    ["execution_lost", false],
    ["internal", false],
    ["overloaded", true],
    ["unavailable", true],
    ["deadline_exceeded", false],
  ])("rejects with the service's own %s (retryable: %s)", async (kind, retryable) => {
    await using service = await serve(() => {
      throw toConnectError(new CodemodeError(kind, "said so", { executionId: "e9" }));
    });
    await using codemode = Codemode.connect({ url: service.url, retry: false });
    const error = await rejection(codemode.execute("1", { correlationId: "c-2" }));
    expect(error).toMatchObject({
      kind,
      message: "said so",
      retryable,
      correlationId: "c-2",
      executionId: "e9",
    });
    expect(CodemodeError.is(error)).toBe(true);
  });

  it("counts an answer without an outcome as lost", async () => {
    await using service = await serve(() => ({ execution: { executionId } }));
    await using codemode = Codemode.connect({ url: service.url });
    const error = await rejection(codemode.execute("1"));
    expect(error).toMatchObject({ kind: "execution_lost", executionId, retryable: false });
  });
});

describe("time and cancellation", () => {
  const hang: NonNullable<Script["execute"]> = (_, { signal }) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason)),
    );

  it("bounds a call by timeoutMs", async () => {
    await using service = await serve(hang);
    await using codemode = Codemode.connect({ url: service.url });
    const error = await rejection(codemode.execute("1", { timeoutMs: 50, correlationId: "c-3" }));
    expect(error).toBeInstanceOf(CodemodeTimeoutError);
    expect(error).toMatchObject({ retryable: false, correlationId: "c-3" });
  });

  it.each([
    [{}, 60_000],
    [{ timeoutMs: 5_000 }, 5_000],
    [{ limits: { wallMs: 3_000 } }, 15_000],
    [{ limits: { wallMs: 3_000 }, timeoutMs: 700 }, 700],
    [{ limits: { wallMs: 10 ** 9 } }, 99_999_999],
  ])("sends the deadline of %o", async (options, deadlineMs) => {
    let sentMs = 0;
    await using service = await serve((_, context) => {
      sentMs = context.timeoutMs() ?? 0;
      return answer(success("1"));
    });
    await using codemode = Codemode.connect({ url: service.url });
    await codemode.execute("1", options);
    expect(sentMs).toBeLessThanOrEqual(deadlineMs);
    expect(sentMs).toBeGreaterThan(deadlineMs * 0.5);
  });

  it("is cancelled by its signal, here and on the server", async () => {
    const cancelled = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    await using service = await serve((message, context) => {
      context.signal.addEventListener("abort", () => cancelled.resolve());
      arrived.resolve();
      return hang(message, context);
    });
    await using codemode = Codemode.connect({ url: service.url });
    const controller = new AbortController();
    const failed = rejection(codemode.execute("1", { signal: controller.signal }));
    await arrived.promise;
    const reason = new Error("the user left");
    controller.abort(reason);
    expect(await failed).toMatchObject({ kind: "cancelled", retryable: false, cause: reason });
    await cancelled.promise;
  });

  it("sends nothing for a signal that has aborted", async () => {
    await using service = await serve(() => answer(success("1")));
    await using codemode = Codemode.connect({ url: service.url });
    const error = await rejection(codemode.execute("1", { signal: AbortSignal.abort("early") }));
    expect(error).toMatchObject({ kind: "cancelled", cause: "early" });
    expect(service.connections).toBe(0);
  });
});

describe("a service that breaks", () => {
  it("is a lost execution when the connection is cut in the middle of a call", async () => {
    const arrived = Promise.withResolvers<void>();
    let runs = 0;
    await using service = await serve(() => {
      runs += 1;
      arrived.resolve();
      return new Promise<never>(() => undefined);
    });
    await using codemode = Codemode.connect({ url: service.url });
    const failed = rejection(codemode.execute("1", { correlationId: "c-4" }));
    await arrived.promise;
    service.disconnect();
    expect(await failed).toMatchObject({
      kind: "execution_lost",
      retryable: false,
      correlationId: "c-4",
    });
    expect(runs).toBe(1);
  });

  it("is an error like any other when it is not this service at all", async () => {
    await using service = await serve(() => {
      throw new ConnectError("who?", Code.Unauthenticated);
    });
    await using codemode = Codemode.connect({ url: service.url });
    expect(await rejection(codemode.execute("1"))).toMatchObject({ kind: "unauthenticated" });
  });
});

describe("serverInfo", () => {
  it("tells what the server is", async () => {
    const limits = {
      wallMs: 1,
      activeMs: 2,
      waitMs: 3,
      memoryBytes: 4,
      outputBytes: 5,
      toolCalls: 6,
      openToolCalls: 7,
      threads: 8,
    };
    const info = {
      version: "1.2.3",
      instanceId: "i1",
      engines: [],
      defaultLimits: limits,
      maxLimits: limits,
      maxCodeBytes: 9,
      maxKeepWithoutReaderMs: 10,
      requiredIsolationTier: "T2" as const,
      queueTimeoutMs: 11,
    };
    await using service = await startScriptedService({
      getServerInfo: () => toServerInfoMessage(info),
    });
    await using codemode = Codemode.connect({ url: service.url });
    expect(await codemode.serverInfo()).toEqual(info);
  });
});
