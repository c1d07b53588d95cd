import { describe, expect, it, vi } from "vitest";
import { createMemoryStore } from "../../../src/execution/memory-store.ts";
import type { ExecutionStore } from "../../../src/execution/store.ts";
import type { Executor, GuestEvent, GuestRun } from "../../../src/executors/executor.ts";
import { CodemodeError } from "../../../src/shared/errors.ts";
import { eventsOf, never, playing, setUpExecutions as setUp } from "../../support/executions.ts";
import { roomyLimits } from "../../support/requests.ts";
import { createScriptedExecutor, forever, type Script } from "../../support/scripted-executor.ts";

const anything = { state: undefined, correlationId: undefined, before: undefined };

describe("an execution that the service fails", () => {
  it("is refused, safe to retry, when no slot comes free in time", async () => {
    await using t = setUp({ slots: 1, queueTimeoutMs: 20 });
    await using _ = t.start("forever");
    await using queued = t.start("forever");
    await expect(eventsOf(queued)).rejects.toMatchObject({
      kind: "overloaded",
      retryable: true,
      retryAfterMs: 1_000,
    });
    expect(t.steps).toEqual(["commit"]);
    await expect(t.executions.cancel(queued.executionId, "acme")).rejects.toMatchObject({
      kind: "not_found",
    });
  });

  it("is refused when the engine has no guest for it", async () => {
    const error = new CodemodeError("unavailable", "the zygote is starting");
    await using t = setUp({ executor: playing([], error) });
    await using execution = t.start("x");
    await expect(eventsOf(execution)).rejects.toBe(error);
  });

  it.each<[string, GuestEvent[], unknown]>([
    ["fails with an unknown error", [{ type: "started" }], new Error("EPIPE")],
    [
      "fails after its first output, whatever it says",
      [{ type: "started" }, { type: "output", channel: "stdout", text: "x" }],
      new CodemodeError("unavailable", "gone"),
    ],
    ["ends without a result", [{ type: "started" }], undefined],
  ])("is lost, and not safe to retry, when its engine %s", async (_what, events, error) => {
    await using t = setUp({ executor: playing(events, error) });
    await using execution = t.start("x");
    await expect(eventsOf(execution)).rejects.toMatchObject({
      kind: "execution_lost",
      retryable: false,
      executionId: execution.executionId,
    });
    expect(execution.summary().outcome).toMatchObject({ error: { reason: "crashed" } });
    await execution.over;
    expect(t.dispatcher.stats().inUse).toBe(0);
  });

  it("is lost when its log is", async () => {
    const memory = createMemoryStore();
    const store: ExecutionStore = {
      ...memory,
      append: async (id, epoch, events) => {
        if (events.some(({ type }) => type === "output")) throw new Error("disk full");
        return await memory.append(id, epoch, events);
      },
    };
    const chat: Script = async (guest) => {
      await guest.print("hello");
      return forever(guest);
    };
    await using t = setUp({ scripts: { chat }, store });
    await using execution = t.start("chat");
    await expect(eventsOf(execution)).rejects.toMatchObject({ kind: "execution_lost" });
    expect(t.executor.alive).toBe(0);
  });

  it("is lost when the log cannot take an answer to its call, although it waits for it", async () => {
    const memory = createMemoryStore();
    const store: ExecutionStore = {
      ...memory,
      append: async (id, epoch, events) => {
        if (events.some(({ type }) => type === "tool_result")) throw new Error("disk full");
        return await memory.append(id, epoch, events);
      },
    };
    const ask: Script = ({ call }) => call("unknown", "{}");
    await using t = setUp({ scripts: { ask }, store });
    await using execution = t.start("ask");
    await expect(eventsOf(execution)).rejects.toMatchObject({ kind: "execution_lost" });
    await execution.over;
    expect(execution.summary().outcome).toMatchObject({ error: { reason: "crashed" } });
    expect(t.executor.alive).toBe(0);
  });

  it.each([
    ["by its own end", "four"],
    ["by a cancel", "forever"],
  ])(
    "has not ended %s before its log says so, and is lost where that fails",
    async (_how, code) => {
      const memory = createMemoryStore();
      const reached = Promise.withResolvers<void>();
      const full = Promise.withResolvers<never>();
      const store: ExecutionStore = {
        ...memory,
        append: async (id, epoch, events) => {
          if (events.some(({ type }) => type === "finished")) {
            reached.resolve();
            await full.promise;
          }
          return await memory.append(id, epoch, events);
        },
      };
      await using t = setUp({ scripts: { four: () => 4 }, store });
      const started = t.executor.untilStarted(code);
      await using execution = t.start(code);
      const { executionId } = execution;
      const events = eventsOf(execution);
      events.catch(() => {});
      await started;
      if (code === "forever") void t.executions.cancel(executionId, "acme");
      await reached.promise;
      const before = t.executions.get(executionId, "acme");
      full.reject(new Error("disk full"));
      expect(before).toMatchObject({ state: "running", outcome: undefined, endTime: undefined });
      const lost = { kind: "execution_lost", executionId };
      await expect(events).rejects.toMatchObject(lost);
      await execution.over;
      expect(() => t.executions.get(executionId, "acme")).toThrow(expect.objectContaining(lost));
      expect([...t.executions.list("acme", { ...anything, state: "finished" })]).toMatchObject([
        { summary: { outcome: { error: { message: "the service lost the execution" } } } },
      ]);
    },
  );

  it("has ended for all who ask once one reader has seen the end", async () => {
    const memory = createMemoryStore();
    const shown = Promise.withResolvers<void>();
    // What is in the store may be read before its writer hears of it.
    const store: ExecutionStore = {
      ...memory,
      append: async (id, epoch, events) => {
        const appended = await memory.append(id, epoch, events);
        if (events.some(({ type }) => type === "finished")) await shown.promise;
        return appended;
      },
    };
    const gate = Promise.withResolvers<number>();
    await using t = setUp({ scripts: { gated: () => gate.promise }, store });
    await using execution = t.start("gated");
    const { executionId } = execution;
    gate.resolve(4);
    await vi.waitFor(async () => {
      const { lastSequence } = await memory.read(executionId, 0, 1);
      expect(lastSequence).toBe(2);
    });
    const place = { afterSequence: 1, answerTools: false };
    await using follower = await t.executions.attach(executionId, "acme", place, never);
    const last = follower.events().next();
    setTimeout(shown.resolve, 10);
    expect(await last).toMatchObject({ value: { type: "finished" } });
    expect(t.executions.get(executionId, "acme")).toMatchObject({ state: "finished" });
    expect(follower.summary().outcome).toMatchObject({ value: { json: "4" } });
  });

  it("is over all the same when its store cannot delete the log", async () => {
    const store: ExecutionStore = {
      ...createMemoryStore(),
      delete: async () => {
        throw new Error("disk gone");
      },
    };
    await using t = setUp({ scripts: { four: () => 4 }, store });
    await using execution = t.start("four");
    await execution.over;
    expect(execution.summary().state).toBe("finished");
  });

  it("ends as it was stopped when its engine answers the stop with an error", async () => {
    const executor: Executor = {
      ...createScriptedExecutor({}),
      run: (_program, signal): GuestRun => ({
        deliver() {},
        async *[Symbol.asyncIterator]() {
          yield { type: "started" };
          await new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason), { once: true });
          });
        },
      }),
    };
    await using t = setUp({ executor });
    await using execution = t.start("x", { limits: { ...roomyLimits, wallMs: 20 } });
    expect((await eventsOf(execution)).at(-1)).toMatchObject({
      outcome: { error: { reason: "timeout" } },
    });
  });

  it("is refused when its slot has no guest within the queue's time, whatever its wall limit", async () => {
    const executor: Executor = {
      ...createScriptedExecutor({}),
      run: (_program, signal): GuestRun => ({
        deliver() {},
        async *[Symbol.asyncIterator]() {
          await new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason), { once: true });
          });
        },
      }),
    };
    await using t = setUp({ executor, queueTimeoutMs: 50 });
    await using execution = t.start("x", { limits: { ...roomyLimits, wallMs: 20 } });
    await expect(eventsOf(execution)).rejects.toMatchObject({
      kind: "overloaded",
      message: "no slot came free in 50 ms",
    });
  });
});
