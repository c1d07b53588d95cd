import { describe, expect, it } from "vitest";
import { collect } from "../support/collect.ts";
import {
  type DispatcherSetup,
  type DispatcherUnderTest,
  inOrder,
  never,
  python,
  setUpDispatcher,
} from "../support/dispatchers.ts";
import { programOf } from "../support/requests.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";

/** What every Dispatcher promises. */
export function dispatcherSuite(name: string, dispatcher: DispatcherUnderTest): void {
  const setUp = (setup: Partial<DispatcherSetup> = {}) => setUpDispatcher(dispatcher, setup);

  describe(`${name}, a Dispatcher`, () => {
    it("runs a program on a lease of its engine", async () => {
      await using t = await setUp();
      await using lease = await t.acquire("acme");
      expect(lease.engine).toBe("scripted");
      expect(lease.workerId).not.toBe("");
      const events = await collect(lease.run(programOf("four"), never));
      expect(events.at(-1)).toMatchObject({ type: "ended", result: { value: { json: "4" } } });
    });

    it("admits as many as it has slots, and the next when one is given back", async () => {
      await using t = await setUp({ slots: 2 });
      const { served, leases } = inOrder(t.acquire, ["a", "b", "c"]);
      const [first] = await Promise.all(leases.slice(0, 2));
      expect(t.dispatcher.stats()).toEqual({ slots: 2, inUse: 2, queued: 1 });
      expect(served).toEqual(["a", "b"]);
      await first?.[Symbol.asyncDispose]();
      await leases[2];
      expect(t.dispatcher.stats()).toEqual({ slots: 2, inUse: 2, queued: 0 });
    });

    it("serves a tenant's own requests first come, first served", async () => {
      await using t = await setUp({ slots: 1, tenantSlots: 1 });
      const order: number[] = [];
      const leases = [1, 2, 3, 4].map(async (number) => {
        await using _ = await t.acquire("acme");
        order.push(number);
      });
      await Promise.all(leases);
      expect(order).toEqual([1, 2, 3, 4]);
    });

    it("lets no flood of one tenant delay another's next by more than one slot", async () => {
      await using t = await setUp({ slots: 1, queueSize: 200 });
      const flood = Array.from({ length: 100 }, () => "flood");
      const { served, leases } = inOrder(t.acquire, [...flood, "quiet", "calm"]);
      for (const index of [0, 1]) {
        const lease = await leases[index];
        await lease?.[Symbol.asyncDispose]();
      }
      // Served so far: the one that was first, the flood's next, and one of the two in their turn.
      const quiet = await leases[100];
      await quiet?.[Symbol.asyncDispose]();
      await leases[101];
      expect(served).toEqual(["flood", "flood", "quiet", "calm"]);
    });

    it("gives a tenant no more than its share while slots are free", async () => {
      await using t = await setUp({ slots: 4, tenantSlots: 2 });
      const { served, leases } = inOrder(t.acquire, ["a", "a", "a", "b"]);
      const first = await leases[0];
      await leases[3];
      expect(served).toEqual(["a", "a", "b"]);
      await first?.[Symbol.asyncDispose]();
      await leases[2];
      expect(served).toEqual(["a", "a", "b", "a"]);
    });

    it("refuses at once, saying when to come back, what neither runs nor may wait", async () => {
      await using t = await setUp({ slots: 1, queueSize: 1 });
      await using _ = await t.acquire("a");
      const waiting = t.acquire("a");
      waiting.catch(() => {});
      await expect(t.acquire("a")).rejects.toMatchObject({
        kind: "overloaded",
        retryable: true,
        retryAfterMs: expect.any(Number),
        quota: [{ subject: expect.any(String), description: expect.any(String) }],
      });
      expect(t.dispatcher.stats()).toEqual({ slots: 1, inUse: 1, queued: 1 });
    });

    it("with no queue, admits into a free slot and refuses otherwise", async () => {
      await using t = await setUp({ slots: 1, queueSize: 0 });
      const lease = await t.acquire("a");
      await expect(t.acquire("b")).rejects.toMatchObject({ kind: "overloaded" });
      await lease[Symbol.asyncDispose]();
      await using _ = await t.acquire("b");
    });

    it("keeps a place for others when one tenant has filled the queue", async () => {
      await using t = await setUp({ slots: 1, queueSize: 4, tenantSlots: 1 });
      const running = await t.acquire("flood");
      const flood = Array.from({ length: 8 }, () => t.acquire("flood"));
      const settled = Promise.allSettled(flood);
      const quiet = t.acquire("quiet");
      await running[Symbol.asyncDispose]();
      const first = await flood[0];
      await first?.[Symbol.asyncDispose]();
      await using lease = await quiet;
      expect(lease.engine).toBe("scripted");
      await lease[Symbol.asyncDispose]();
      await t.dispatcher.drain(AbortSignal.abort());
      expect((await settled).filter(({ status }) => status === "rejected").length).toBeGreaterThan(
        3,
      );
    });

    it("ends the wait with the signal, and leaves the queue at once", async () => {
      await using t = await setUp({ slots: 1 });
      const running = await t.acquire("a");
      const caller = new AbortController();
      const waiting = t.acquire("b", {}, caller.signal);
      const after = t.acquire("c");
      caller.abort(new Error("gone"));
      expect(t.dispatcher.stats().queued).toBe(1);
      await expect(waiting).rejects.toThrow("gone");
      await running[Symbol.asyncDispose]();
      await using _ = await after;
    });

    it("does not admit a request whose signal has aborted", async () => {
      await using t = await setUp();
      const gone = AbortSignal.abort(new Error("gone"));
      await expect(t.acquire("a", {}, gone)).rejects.toThrow("gone");
      expect(t.dispatcher.stats()).toEqual({ slots: 2, inUse: 0, queued: 0 });
    });

    it("frees the slot once, however often the lease is given back", async () => {
      await using t = await setUp({ slots: 2 });
      const lease = await t.acquire("a");
      await using _ = await t.acquire("b");
      await Promise.all([lease[Symbol.asyncDispose](), lease[Symbol.asyncDispose]()]);
      await lease[Symbol.asyncDispose]();
      expect(t.dispatcher.stats().inUse).toBe(1);
    });

    it("ends the run of a lease that is given back while it runs", async () => {
      const executor = python();
      await using t = await setUp({ executors: [executor] });
      const lease = await t.acquire("a");
      const started = executor.untilStarted("forever");
      const events = collect(lease.run(programOf("forever"), never));
      await started;
      await lease[Symbol.asyncDispose]();
      expect(executor.alive).toBe(0);
      expect(t.dispatcher.stats().inUse).toBe(0);
      expect((await events).at(-1)).toMatchObject({ result: { error: { reason: "cancelled" } } });
    });

    it("runs one program on a lease, and none after it was given back", async () => {
      await using t = await setUp();
      const lease = await t.acquire("a");
      lease.run(programOf("four"), never);
      expect(() => lease.run(programOf("four"), never)).toThrow("one run");
      await lease[Symbol.asyncDispose]();
      const second = await t.acquire("a");
      await second[Symbol.asyncDispose]();
      expect(() => second.run(programOf("four"), never)).toThrow("given back");
    });

    it("takes the first engine that is up and runs the language", async () => {
      const down = createScriptedExecutor({}, { name: "down", up: false, reason: "no landlock" });
      const other = createScriptedExecutor({}, { name: "other", languages: ["javascript"] });
      const second = createScriptedExecutor({}, { name: "second" });
      await using t = await setUp({ executors: [down, other, second, python()] });
      await using lease = await t.acquire("a");
      expect(lease.engine).toBe("second");
    });

    it("refuses a language that no engine runs, with the reason of one that is down", async () => {
      const down = createScriptedExecutor(
        {},
        { name: "cpython", up: false, reason: "no landlock" },
      );
      await using t = await setUp({ executors: [down] });
      await expect(t.acquire("a")).rejects.toMatchObject({
        kind: "unsupported",
        message: "no engine runs python: cpython is not up: no landlock",
      });
      await expect(t.acquire("a", { language: "cobol" })).rejects.toMatchObject({
        kind: "unsupported",
        message: "no engine runs cobol",
      });
    });

    it("refuses a language whose engine is being started again as safe to retry", async () => {
      const down = createScriptedExecutor({}, { up: false, reason: "the zygote died" });
      const restarting = {
        ...down,
        info: () => ({ ...down.info(), isRestarting: true }),
      };
      const never = createScriptedExecutor({}, { name: "other", up: false, reason: "no wall" });
      await using t = await setUp({ executors: [never, restarting] });
      await expect(t.acquire("a")).rejects.toMatchObject({
        kind: "unavailable",
        retryable: true,
        retryAfterMs: 1_000,
        message:
          "the engine of python is being started again: other is not up: no wall; scripted is not up: the zygote died",
      });
    });

    it("drains: refuses the new and the waiting, and resolves with the last lease", async () => {
      await using t = await setUp({ slots: 1 });
      const lease = await t.acquire("a");
      const waiting = t.acquire("b");
      waiting.catch(() => {});
      let isDrained = false;
      const drained = t.dispatcher.drain(never).then(() => {
        isDrained = true;
      });
      await expect(waiting).rejects.toMatchObject({ kind: "unavailable", retryable: true });
      await expect(t.acquire("c")).rejects.toMatchObject({ kind: "unavailable", retryable: true });
      expect(isDrained).toBe(false);
      await lease[Symbol.asyncDispose]();
      await drained;
    });

    it("stops draining when the signal aborts, and at once when nothing runs", async () => {
      await using t = await setUp();
      const lease = await t.acquire("a");
      await t.dispatcher.drain(AbortSignal.abort());
      await lease[Symbol.asyncDispose]();
      await t.dispatcher.drain(never);
    });

    it("ends every run when it is disposed, and may be disposed again", async () => {
      const executor = python();
      await using t = await setUp({ executors: [executor] });
      const lease = await t.acquire("a");
      const started = executor.untilStarted("forever");
      const events = collect(lease.run(programOf("forever"), never));
      await started;
      await t.dispatcher[Symbol.asyncDispose]();
      await t.dispatcher[Symbol.asyncDispose]();
      expect((await events).at(-1)).toMatchObject({ type: "ended" });
      expect(executor.alive).toBe(0);
      await expect(t.acquire("a")).rejects.toMatchObject({ kind: "unavailable" });
    });
  });
}
