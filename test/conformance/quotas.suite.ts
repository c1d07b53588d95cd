import { describe, expect, it } from "vitest";
import type { CodemodeError } from "../../src/shared/errors.ts";
import {
  type DispatcherSetup,
  type DispatcherUnderTest,
  inOrder,
  python,
  setUpDispatcher,
} from "../support/dispatchers.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";

/** What every Dispatcher promises of the quotas of tenants. */
export function quotasSuite(name: string, dispatcher: DispatcherUnderTest): void {
  const setUp = (setup: Partial<DispatcherSetup> = {}) => setUpDispatcher(dispatcher, setup);

  describe(`${name}, keeping the quotas of tenants`, () => {
    it("refuses what is more than a tenant's part of the queue, and lets others wait", async () => {
      await using t = await setUp({ slots: 1, queueSize: 10, tenantQueueSize: 2 });
      const running = await t.acquire("a");
      const waiting = [t.acquire("a"), t.acquire("a"), t.acquire("b"), t.acquire("b")];
      for (const each of waiting) each.catch(() => {});
      await expect(t.acquire("a")).rejects.toMatchObject({
        kind: "overloaded",
        retryAfterMs: expect.any(Number),
        quota: [{ subject: "tenant:a", description: "2 executions waiting" }],
      });
      expect(t.dispatcher.stats().queued).toBe(4);
      await running[Symbol.asyncDispose]();
      await waiting[0];
      waiting.push(t.acquire("a"));
      waiting.at(-1)?.catch(() => {});
      expect(t.dispatcher.stats().queued).toBe(4);
    });

    it("with no part of the queue, admits a tenant into a free slot and refuses it otherwise", async () => {
      await using t = await setUp({ slots: 1, tenantQueueSize: 0, queueSize: 5 });
      const lease = await t.acquire("a");
      await expect(t.acquire("a")).rejects.toMatchObject({ kind: "overloaded" });
      await lease[Symbol.asyncDispose]();
      await using _ = await t.acquire("a");
    });

    it("starts no more executions of a tenant in a minute than its rate, others aside", async () => {
      await using t = await setUp({ slots: 9, tenantSlots: 9, tenantExecutionsPerMinute: 3 });
      for (let count = 0; count < 3; count++) await (await t.acquire("a"))[Symbol.asyncDispose]();
      const refused = await t.acquire("a").catch((error: unknown) => error);
      expect(refused).toMatchObject({
        kind: "overloaded",
        retryable: true,
        quota: [{ subject: "tenant:a", description: "3 executions a minute" }],
      });
      const { retryAfterMs = 0 } = refused as CodemodeError;
      expect(retryAfterMs).toBeGreaterThan(15_000);
      expect(retryAfterMs).toBeLessThanOrEqual(20_000);
      await using _ = await t.acquire("b");
    });

    it("does not count against the rate what got no slot", async () => {
      const down = createScriptedExecutor({}, { languages: ["cobol"], up: false });
      const executors = [python(), down];
      await using t = await setUp({
        executors,
        slots: 1,
        queueSize: 1,
        tenantExecutionsPerMinute: 2,
      });
      const lease = await t.acquire("a");
      const caller = new AbortController();
      const waiting = t.acquire("a", {}, caller.signal);
      caller.abort(new Error("gone"));
      await expect(waiting).rejects.toThrow("gone");
      await expect(t.acquire("a", { language: "cobol" })).rejects.toMatchObject({
        kind: "unsupported",
      });
      const other = t.acquire("b");
      const quotaOf = (error: CodemodeError) => error.quota[0]?.subject;
      expect(await t.acquire("a").catch(quotaOf)).toBe("service");
      await lease[Symbol.asyncDispose]();
      await (await other)[Symbol.asyncDispose]();
      await (await t.acquire("a"))[Symbol.asyncDispose]();
      expect(await t.acquire("a").catch(quotaOf)).toBe("tenant:a");
    });

    it("admits nothing more of a tenant whose running executions hold too much", async () => {
      const bytes = new Map([["a", 1_000]]);
      await using t = await setUp({
        tenantLogBytes: 1_000,
        logBytes: (tenant) => bytes.get(tenant) ?? 0,
      });
      await expect(t.acquire("a")).rejects.toMatchObject({
        kind: "overloaded",
        retryAfterMs: expect.any(Number),
        quota: [
          { subject: "tenant:a", description: "1000 bytes in the logs of running executions" },
        ],
      });
      await using _ = await t.acquire("b");
      bytes.set("a", 999);
      await using __ = await t.acquire("a");
    });

    it("where tenants share, has a slot at once for one that comes after a flood", async () => {
      await using t = await setUp({ slots: 20, queueSize: 500, tenantSlots: 20, isShared: true });
      const { served } = inOrder(
        t.acquire,
        Array.from({ length: 400 }, () => "flood"),
      );
      await using _ = await t.acquire("quiet");
      expect(served.length).toBeGreaterThan(15);
      expect(t.dispatcher.stats()).toMatchObject({ inUse: served.length + 1 });
      expect(t.dispatcher.stats().inUse).toBeLessThan(20);
    });

    it("where tenants share, lets a tenant go on when another gives back", async () => {
      await using t = await setUp({ slots: 20, queueSize: 500, tenantSlots: 20, isShared: true });
      const others = await Promise.all(Array.from({ length: 10 }, () => t.acquire("other")));
      const { served } = inOrder(
        t.acquire,
        Array.from({ length: 20 }, () => "a"),
      );
      await using _ = await t.acquire("third");
      const before = served.length;
      for (const lease of others) await lease[Symbol.asyncDispose]();
      await using __ = await t.acquire("fourth");
      expect(served.length).toBeGreaterThan(before);
    });
  });
}
