import { describe, expect, it, vi } from "vitest";
import { Codemode, type StreamEvent, withContext } from "../../src/index.ts";
import { Stop } from "../../src/shared/stop.ts";
import { createScriptedExecutor, forever, type Script } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const scripts = {
  sum: async ({ print }) => {
    await print("adding\n");
    return 4;
  },
  context: ({ program }) => program.context.client_id,
  raise: () => {
    throw new RangeError("too far");
  },
  forever,
  chatty: async (guest) => {
    await guest.print("first\n");
    return forever(guest);
  },
  flood: async ({ print, signal }) => {
    while (!signal.aborted) await print("x".repeat(65_536));
  },
} as const satisfies Record<string, Script>;

const limits = { outputBytes: 1024 ** 3 };

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error("nothing was thrown")),
    (error: unknown) => error,
  );

describe("the SDK and the server", () => {
  it("agree about a program's result, unary and streamed", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({ executors: [executor] });
    await using codemode = Codemode.connect({ url: server.url });
    const expected = {
      status: "completed",
      value: 4,
      text: "4",
      stdout: "adding\n",
      engine: "scripted",
      isolationTier: "T2",
      correlationId: "c-1",
    };
    const options = { correlationId: "c-1" };
    expect(await codemode.execute("sum", options)).toMatchObject(expected);
    const events: StreamEvent[] = [];
    const execution = codemode.stream("sum", options);
    for await (const event of execution) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(["started", "output", "finished"]);
    expect(await execution.outcome).toMatchObject({
      ...expected,
      executionId: await execution.id,
    });
  });

  it("agree about a program's failure", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({ executors: [executor] });
    await using codemode = Codemode.connect({ url: server.url });
    const expected = { status: "failed", error: { type: "RangeError", message: "too far" } };
    expect(await codemode.execute("raise")).toMatchObject(expected);
    expect(await codemode.stream("raise").outcome).toMatchObject(expected);
  });

  it("carry each task's own context", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({ executors: [executor] });
    await using codemode = Codemode.connect({ url: server.url });
    const ids = Array.from({ length: 50 }, (_, index) => `c${index}`);
    const values = await Promise.all(
      ids.map((client_id) =>
        withContext({ client_id }, async () => {
          const result = await codemode.execute("context");
          return result.status === "completed" && result.value;
        }),
      ),
    );
    expect(values).toEqual(ids);
  });

  it("kill the guest on break, and agree that it was cancelled", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({ executors: [executor] });
    await using codemode = Codemode.connect({ url: server.url });
    const killed = executor.untilKilled("chatty");
    const execution = codemode.stream("chatty");
    for await (const event of execution) if (event.type === "output") break;
    expect(executor.alive).toBe(0);
    expect(await killed).toMatchObject({ reason: "cancelled" });
    expect(await killed).toBeInstanceOf(Stop);
    const outcome = await execution.outcome;
    expect(outcome).toMatchObject({
      status: "failed",
      error: { reason: "cancelled" },
      stdout: "first\n",
      engine: "scripted",
    });
    expect(outcome.usage.wallMs).toBeGreaterThan(0);
  });

  it("kill a guest whose output nobody reads", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({ executors: [executor] });
    await using codemode = Codemode.connect({ url: server.url });
    const execution = codemode.stream("flood", { limits });
    await execution.id;
    await execution.cancel();
    expect(executor.alive).toBe(0);
    expect(await execution.outcome).toMatchObject({ error: { reason: "cancelled" } });
  });

  it("kill the guest when a signal aborts, unary and streamed", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({ executors: [executor] });
    await using codemode = Codemode.connect({ url: server.url });
    const runs = [
      (signal: AbortSignal) => codemode.execute("forever", { signal }),
      (signal: AbortSignal) => codemode.stream("forever", { signal }).outcome,
    ];
    for (const run of runs) {
      const controller = new AbortController();
      const started = executor.untilStarted("forever");
      const killed = executor.untilKilled("forever");
      const failed = rejection(run(controller.signal));
      await started;
      controller.abort("enough");
      expect(await failed).toMatchObject({ kind: "cancelled", cause: "enough" });
      await killed;
    }
    await vi.waitFor(() => expect(executor.alive).toBe(0));
  });

  it("kill the guest when a client is closed or the call's time is up", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({ executors: [executor] });
    const codemode = Codemode.connect({ url: server.url });
    const late = executor.untilKilled("forever");
    const error = await rejection(codemode.execute("forever", { timeoutMs: 100 }));
    expect(error).toMatchObject({ kind: "deadline_exceeded" });
    await late;
    const execution = codemode.stream("forever");
    await execution.id;
    await codemode.close();
    expect(executor.alive).toBe(0);
    expect(await execution.outcome).toMatchObject({ error: { reason: "cancelled" } });
  });

  it("give the limits' own outcome within the call's deadline", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({ executors: [executor] });
    await using codemode = Codemode.connect({ url: server.url });
    const result = await codemode.execute("forever", { limits: { wallMs: 100 } });
    expect(result).toMatchObject({ status: "failed", error: { reason: "timeout" } });
  });

  it("agree about keys", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({
      executors: [executor],
      settings: { api_keys: [{ key: "k1", tenant: "acme" }] },
    });
    await using right = Codemode.connect({ url: server.url, apiKey: "k1" });
    await using wrong = Codemode.connect({ url: server.url, apiKey: "k2" });
    expect(await right.execute("sum")).toMatchObject({ status: "completed" });
    const error = await rejection(wrong.execute("sum", { correlationId: "c-2" }));
    expect(error).toMatchObject({ kind: "unauthenticated", correlationId: "c-2" });
    expect(executor.started).toEqual(["sum"]);
  });

  it("agree about faults of a request", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({ executors: [executor] });
    await using codemode = Codemode.connect({ url: server.url });
    const error = await rejection(codemode.execute("", { limits: { wallMs: 10 ** 9 } }));
    expect(error).toMatchObject({ kind: "invalid_request" });
    const { violations } = error as { violations: { field: string }[] };
    expect(violations.map(({ field }) => field)).toEqual([
      expect.stringContaining("code"),
      expect.stringContaining("wall_timeout"),
    ]);
  });

  it("talk about the server itself", async () => {
    await using executor = createScriptedExecutor(scripts);
    await using server = await startServer({ executors: [executor] });
    await using codemode = Codemode.connect({ url: server.url });
    const info = await codemode.serverInfo();
    expect(info).toEqual(server.info());
    expect(info.engines).toMatchObject([{ name: "scripted", up: true }]);
  });
});
