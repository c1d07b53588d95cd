import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { eventsOf, setUpExecutions as setUp } from "../../support/executions.ts";
import { roomyLimits, toolOf } from "../../support/requests.ts";
import { forever, type Script } from "../../support/scripted-executor.ts";

describe("an execution is ended", () => {
  it("by its wall limit, as a timeout", async () => {
    await using t = setUp();
    await using execution = t.start("forever", { limits: { ...roomyLimits, wallMs: 20 } });
    const events = await eventsOf(execution);
    expect(events.at(-1)).toMatchObject({
      outcome: { status: "failed", error: { reason: "timeout", message: /20 ms/ } },
    });
    expect(t.executor.alive).toBe(0);
  });

  it("by its wall limit although its reader does not read", async () => {
    const flood: Script = async ({ print, signal }) => {
      while (!signal.aborted) await print("x".repeat(100_000));
    };
    await using t = setUp({ scripts: { flood } });
    await using execution = t.start("flood", { limits: { ...roomyLimits, wallMs: 50 } });
    await execution.over;
    expect(execution.summary().outcome).toMatchObject({ error: { reason: "timeout" } });
  });

  it("by a cancel, which resolves when it has ended", async () => {
    await using t = setUp();
    const started = t.executor.untilStarted("forever");
    await using execution = t.start("forever");
    const events = eventsOf(execution);
    await started;
    const cancelled = await t.executions.cancel(execution.executionId, "acme");
    expect(t.executor.alive).toBe(0);
    expect(cancelled).toMatchObject({
      state: "finished",
      outcome: { status: "failed", error: { reason: "cancelled" } },
    });
    expect((await events).at(-1)).toMatchObject({ outcome: { error: { reason: "cancelled" } } });
  });

  it("by a cancel while it waits, and then never starts", async () => {
    await using t = setUp({ slots: 1 });
    await using _ = t.start("forever");
    await using queued = t.start("forever");
    await vi.waitFor(() => expect(t.dispatcher.stats().queued).toBe(1));
    const { outcome, startTime } = await t.executions.cancel(queued.executionId, "acme");
    expect(outcome).toMatchObject({ error: { reason: "cancelled" }, engine: "" });
    expect(startTime).toBeUndefined();
    expect(await eventsOf(queued)).toMatchObject([{ type: "finished", sequence: 1 }]);
    expect(t.steps).toEqual(["commit"]);
  });

  it("when the call's signal aborts, at once", async () => {
    await using t = setUp();
    const caller = new AbortController();
    const started = t.executor.untilStarted("forever");
    const killed = t.executor.untilKilled("forever");
    await using execution = t.start("forever", {}, caller.signal);
    const events = eventsOf(execution);
    events.catch(() => {});
    await started;
    caller.abort(new Error("connection reset"));
    expect(await killed).toMatchObject({ reason: "cancelled" });
    await expect(events).rejects.toMatchObject({ kind: "cancelled" });
  });

  it("when the caller's deadline passes, which is the call's error and not the program's", async () => {
    await using t = setUp();
    const caller = new AbortController();
    const started = t.executor.untilStarted("forever");
    await using execution = t.start("forever", {}, caller.signal);
    const events = eventsOf(execution);
    events.catch(() => {});
    await started;
    caller.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
    await expect(events).rejects.toMatchObject({ kind: "deadline_exceeded" });
    await execution.over;
    expect(t.executor.alive).toBe(0);
  });

  it("when its reader leaves in the middle", async () => {
    const chat: Script = async (guest) => {
      await guest.print("hello");
      return forever(guest);
    };
    await using t = setUp({ scripts: { chat } });
    {
      await using execution = t.start("chat");
      for await (const event of execution.events()) if (event.type === "output") break;
    }
    expect(t.executor.alive).toBe(0);
    expect(t.dispatcher.stats().inUse).toBe(0);
  });

  it("by the service's shutdown, as abandoned; one that waits is refused, safe to retry", async () => {
    await using t = setUp({ slots: 1 });
    const started = t.executor.untilStarted("forever");
    await using running = t.start("forever");
    await started;
    await using queued = t.start("forever");
    const waiting = eventsOf(queued);
    waiting.catch(() => {});
    await vi.waitFor(() => expect(t.dispatcher.stats().queued).toBe(1));
    await t.executions.stopAll();
    expect(running.summary().outcome).toMatchObject({ error: { reason: "abandoned" } });
    await expect(waiting).rejects.toMatchObject({ kind: "unavailable", retryable: true });
  });
});

describe("an execution that ends with calls open", () => {
  const calls: Script = (guest) => {
    void guest.call("weather", "{}");
    void guest.call("weather", "{}");
    return guest.program.code === "calls" ? 4 : forever(guest);
  };
  const tools = [toolOf("weather")];

  it.each([
    ["its own result", "calls", 60_000, { status: "completed" }],
    ["its wall limit", "callsForever", 30, { error: { reason: "timeout" } }],
  ])("by %s cancels them in the log, before its end", async (_what, code, wallMs, outcome) => {
    await using t = setUp({ scripts: { calls, callsForever: calls } });
    await using execution = t.start(code, { tools, limits: { ...roomyLimits, wallMs } });
    const events = await eventsOf(execution);
    expect(events.slice(1)).toMatchObject([
      { type: "tool_call", callId: "1" },
      { type: "tool_call", callId: "2" },
      { type: "tool_result", callId: "1", error: { kind: "cancelled" } },
      { type: "tool_result", callId: "2", error: { kind: "cancelled" } },
      { type: "finished", outcome: { ...outcome, usage: { toolCalls: 2 } } },
    ]);
    const answer = { callId: "1", resultJson: "1" };
    expect(() => execution.answer(answer)).toThrow(expect.objectContaining({ kind: "not_found" }));
    expect(() => t.executions.answer(execution.executionId, "acme", answer)).toThrow(
      expect.objectContaining({ kind: "not_found" }),
    );
  });

  it("takes no answer while it waits for a slot", async () => {
    await using t = setUp({ slots: 1 });
    await using _ = t.start("forever");
    await using queued = t.start("forever", { tools });
    const answer = { callId: "1", resultJson: "1" };
    expect(() => t.executions.answer(queued.executionId, "acme", answer)).toThrow(
      expect.objectContaining({ kind: "not_found" }),
    );
    expect(t.executions.refusals).toEqual({ calls: 0, answers: 1 });
  });
});

describe("cancel", () => {
  it("has no effect on an execution that has finished", async () => {
    await using t = setUp({ scripts: { four: () => 4 } });
    await using execution = t.start("four");
    await execution.over;
    const ended = await t.executions.cancel(execution.executionId, "acme");
    expect(ended).toMatchObject({ state: "finished", outcome: { status: "completed" } });
  });

  it("knows neither an unknown execution nor another tenant's, running or finished", async () => {
    await using t = setUp({ scripts: { four: () => 4 } });
    const notFound = { kind: "not_found", message: "no such execution" };
    await using running = t.start("forever");
    await using finished = t.start("four");
    await finished.over;
    for (const id of ["i-7-0", running.executionId, finished.executionId]) {
      await expect(t.executions.cancel(id, "other")).rejects.toMatchObject(notFound);
    }
    expect(running.summary().state).not.toBe("finished");
  });
});
