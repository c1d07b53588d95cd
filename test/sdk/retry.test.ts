import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { Codemode } from "../../src/index.ts";
import { CodemodeError, type ErrorKind } from "../../src/shared/errors.ts";
import { pushbackTrailer, toConnectError } from "../../src/shared/status.ts";
import { answer, createLog, success } from "./support/messages.ts";
import { startScriptedService } from "./support/scripted-service.ts";

const retry = { baseMs: 1, jitter: 0 };
const full = (retryAfterMs?: number) =>
  toConnectError(new CodemodeError("overloaded", "the queue is full", { retryAfterMs }));

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error("nothing was thrown")),
    (error: unknown) => error,
  );

/** Fails the first calls with what `fault` gives, then answers. */
async function flaky(times: number, fault: () => Error) {
  const tries = { count: 0 };
  const fail = () => {
    tries.count += 1;
    if (tries.count <= times) throw fault();
  };
  const service = await startScriptedService({
    execute() {
      fail();
      return answer(success("1"));
    },
    async *executeStream() {
      fail();
      const log = createLog();
      yield log.started();
      yield log.finished(success("1"));
    },
  });
  return Object.assign(service, { tries });
}

describe("a call that did not start", () => {
  it.each<[ErrorKind]>([["overloaded"], ["unavailable"]])(
    "is tried again after the service's own %s, unary and streamed",
    async (kind) => {
      const fault = () => toConnectError(new CodemodeError(kind, "not now"));
      for (const run of [
        (codemode: Codemode) => codemode.execute("x"),
        (codemode: Codemode) => codemode.stream("x").outcome,
      ]) {
        await using service = await flaky(2, fault);
        await using codemode = Codemode.connect({ url: service.url, retry });
        expect(await run(codemode)).toMatchObject({ status: "completed" });
        expect(service.tries.count).toBe(3);
      }
    },
  );

  it("is tried as often as the policy says, then fails with the last error", async () => {
    await using service = await flaky(99, full);
    await using codemode = Codemode.connect({ url: service.url, retry });
    expect(await rejection(codemode.execute("x"))).toMatchObject({ kind: "overloaded" });
    expect(service.tries.count).toBe(4);
  });

  it("is tried once where retries are off, for a client or for a call", async () => {
    await using service = await flaky(99, full);
    await using never = Codemode.connect({ url: service.url, retry: false });
    await rejection(never.execute("x"));
    expect(service.tries.count).toBe(1);
    await using codemode = Codemode.connect({ url: service.url, retry });
    await rejection(codemode.execute("x", { retry: false }));
    expect(service.tries.count).toBe(2);
    await rejection(codemode.execute("x", { retry: { maxAttempts: 2 } }));
    expect(service.tries.count).toBe(4);
  });

  it("waits as long as the service asks", async () => {
    await using service = await flaky(1, () => full(60));
    await using codemode = Codemode.connect({ url: service.url, retry });
    const startedAt = performance.now();
    await codemode.execute("x");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(59);
  });

  it("is not tried again where the service pushes back for good", async () => {
    await using service = await flaky(99, () => {
      const status = full();
      status.metadata.set(pushbackTrailer, "-1");
      return status;
    });
    await using codemode = Codemode.connect({ url: service.url, retry });
    expect(await rejection(codemode.execute("x"))).toMatchObject({ kind: "overloaded" });
    expect(service.tries.count).toBe(1);
  });

  it("is not tried again while most calls are turned away, and is once they go through", async () => {
    const fault = { count: 0 };
    await using service = await startScriptedService({
      execute() {
        fault.count += 1;
        if (isFull) throw full();
        return answer(success("1"));
      },
    });
    let isFull = true;
    const retryBudget = { maxTokens: 10, tokenRatio: 1 };
    await using codemode = Codemode.connect({
      url: service.url,
      retry: { ...retry, maxAttempts: 3 },
      retryBudget,
    });
    // Five tokens are there to be spent: two calls of three attempts take them, then each has one.
    for (const [call, attempts] of [3, 5, 6, 7].entries()) {
      await rejection(codemode.execute(`${call}`));
      expect(fault.count).toBe(attempts);
    }
    isFull = false;
    for (let call = 0; call < 10; call++) await codemode.execute("x");
    isFull = true;
    fault.count = 0;
    await rejection(codemode.execute("x"));
    expect(fault.count).toBe(3);
  });

  it("is not waited for beyond the call's own time", async () => {
    await using service = await flaky(1, () => full(60_000));
    await using codemode = Codemode.connect({ url: service.url, timeoutMs: 500 });
    expect(await rejection(codemode.execute("x"))).toMatchObject({
      kind: "overloaded",
      retryAfterMs: 60_000,
    });
    expect(service.tries.count).toBe(1);
  });

  it("stops waiting when its signal aborts", async () => {
    await using service = await flaky(99, () => full(30_000));
    await using codemode = Codemode.connect({ url: service.url });
    const controller = new AbortController();
    const { signal } = controller;
    const failed = rejection(codemode.execute("x", { signal }));
    await vi.waitFor(() => expect(service.tries.count).toBe(1));
    controller.abort("enough");
    expect(await failed).toMatchObject({ kind: "cancelled", cause: "enough" });
  });

  it("is tried again when the server refused its HTTP/2 stream", async () => {
    let refused = 0;
    await using service = await startScriptedService(
      {
        execute: () => answer(success("1")),
        async *executeStream() {
          const log = createLog();
          yield log.started();
          yield log.finished(success("1"));
        },
      },
      {
        intercept(stream) {
          if (refused % 2 === 1) {
            refused = 0;
            return false;
          }
          refused += 1;
          stream.on("error", () => undefined);
          stream.close(7);
          return true;
        },
      },
    );
    await using codemode = Codemode.connect({ url: service.url, retry });
    expect(await codemode.execute("x")).toMatchObject({ status: "completed" });
    expect(await codemode.stream("x").outcome).toMatchObject({ status: "completed" });
    expect(await rejection(codemode.execute("x", { retry: false }))).toMatchObject({
      kind: "unavailable",
      retryable: true,
    });
  });

  it("is tried again while nobody listens, and goes through once somebody does", async () => {
    const placeholder = createServer().listen(0, "127.0.0.1");
    await once(placeholder, "listening");
    const { port } = placeholder.address() as AddressInfo;
    placeholder.close();
    await once(placeholder, "close");
    const url = `http://127.0.0.1:${port}`;
    await using codemode = Codemode.connect({ url, retry: { baseMs: 1, maxAttempts: 3 } });
    const error = await rejection(codemode.execute("x", { correlationId: "c-1" }));
    expect(error).toMatchObject({
      name: "CodemodeConnectionError",
      kind: "unavailable",
      retryable: true,
      correlationId: "c-1",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});

describe("a call that may have had an effect", () => {
  it.each<[ErrorKind]>([["execution_lost"], ["internal"], ["deadline_exceeded"], ["cancelled"]])(
    "is not tried again after %s",
    async (kind) => {
      await using service = await flaky(1, () => toConnectError(new CodemodeError(kind, "no")));
      await using codemode = Codemode.connect({ url: service.url, retry });
      expect(await rejection(codemode.execute("x"))).toMatchObject({ kind });
      expect(service.tries.count).toBe(1);
    },
  );

  it("is not tried again when someone in between says unavailable", async () => {
    let requests = 0;
    await using service = await startScriptedService(
      {},
      {
        intercept(stream, method) {
          if (method === "Execute") requests += 1;
          stream.respond({ ":status": 503, "content-type": "text/plain" });
          stream.end("no upstream");
          return true;
        },
      },
    );
    await using codemode = Codemode.connect({ url: service.url, retry });
    expect(await rejection(codemode.execute("x"))).toMatchObject({
      kind: "unavailable",
      retryable: false,
    });
    expect(requests).toBe(1);
  });

  it("is not tried again once an event was seen", async () => {
    let runs = 0;
    await using service = await startScriptedService({
      async *executeStream() {
        runs += 1;
        yield createLog().started();
        throw full();
      },
    });
    await using codemode = Codemode.connect({ url: service.url, retry });
    await rejection(codemode.stream("x").outcome);
    expect(runs).toBe(1);
  });
});
