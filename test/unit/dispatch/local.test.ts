import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLocalDispatcher, type LocalDispatcherOptions } from "../../../src/dispatch/local.ts";
import { createMemoryGauge } from "../../../src/dispatch/memory.ts";
import type { ExecutorInfo } from "../../../src/executors/executor.ts";
import type { CodemodeError } from "../../../src/shared/errors.ts";
import { createScriptedExecutor } from "../../support/scripted-executor.ts";

function setUp(options: Partial<LocalDispatcherOptions> = {}) {
  const dispatcher = createLocalDispatcher({
    executors: [createScriptedExecutor({})],
    slots: 2,
    queueSize: 10,
    tenantSlots: 2,
    memoryInUse: () => 0,
    ...options,
  });
  // A signal of its own for each, as every call has: one of all would know its listeners one by one.
  const acquire = (tenant: string) =>
    dispatcher.acquire(
      { executionId: "e", tenant, language: "python", memoryBytes: 1 },
      new AbortController().signal,
    );
  return { dispatcher, acquire, [Symbol.asyncDispose]: () => dispatcher[Symbol.asyncDispose]() };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the local dispatcher's memory", () => {
  it("admits nothing beside what runs at 80 % of memory, and goes on when there is some", async () => {
    let inUse = 0.79;
    await using t = setUp({ slots: 10, tenantSlots: 10, memoryInUse: () => inUse });
    await t.acquire("a");
    await t.acquire("a");
    inUse = 0.8;
    const waiting = t.acquire("a");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(t.dispatcher.stats()).toMatchObject({ inUse: 2, queued: 1 });
    inUse = 0.5;
    await vi.advanceTimersByTimeAsync(100);
    await waiting;
    expect(t.dispatcher.stats()).toMatchObject({ inUse: 3, queued: 0 });
  });

  it("always runs one, whoever holds the memory", async () => {
    await using t = setUp({ memoryInUse: () => 1 });
    const lease = await t.acquire("a");
    const waiting = t.acquire("a");
    expect(t.dispatcher.stats()).toMatchObject({ inUse: 1, queued: 1 });
    await lease[Symbol.asyncDispose]();
    await waiting;
  });

  it("looks at memory no more once it is disposed", async () => {
    const t = setUp({ memoryInUse: () => 1 });
    await t.acquire("a");
    const waiting = t.acquire("a");
    waiting.catch(() => {});
    expect(vi.getTimerCount()).toBe(1);
    await t[Symbol.asyncDispose]();
    expect(vi.getTimerCount()).toBe(0);
    await expect(waiting).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("measures a share of the machine's memory", () => {
    const share = createMemoryGauge()();
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
  });

  it("does not measure it for every question", () => {
    let time = 0;
    let reads = 0;
    const gauge = createMemoryGauge({ now: () => time, read: () => ++reads / 10 });
    expect([gauge(), gauge()]).toEqual([0.1, 0.1]);
    time = 100;
    expect([gauge(), gauge()]).toEqual([0.2, 0.2]);
  });
});

describe("the local dispatcher's refusals", () => {
  it("names the tenant's own share when that is what is full", async () => {
    await using t = setUp({ slots: 10, tenantSlots: 1, queueSize: 0 });
    await t.acquire("acme");
    await expect(t.acquire("acme")).rejects.toMatchObject({
      quota: [{ subject: "tenant:acme", description: "1 executions at once" }],
    });
  });

  it("names the service's slots otherwise", async () => {
    await using t = setUp({ slots: 1, queueSize: 0 });
    await t.acquire("acme");
    await expect(t.acquire("other")).rejects.toMatchObject({
      quota: [{ subject: "service", description: "1 executions at once, 0 waiting" }],
    });
  });

  it("names the tenant's part where others may have the free slots", async () => {
    await using t = setUp({ slots: 10, tenantSlots: 10, queueSize: 0, isShared: true });
    for (let count = 0; count < 9; count++) await t.acquire("acme");
    await expect(t.acquire("acme")).rejects.toMatchObject({
      quota: [{ subject: "tenant:acme", description: "9 executions at once" }],
    });
    await t.acquire("other");
  });

  it("names the queue where a tenant's part of it is the whole", async () => {
    await using t = setUp({ slots: 1, tenantSlots: 2, queueSize: 1, tenantQueueSize: 1 });
    await t.acquire("acme");
    t.acquire("acme").catch(() => {});
    await expect(t.acquire("acme")).rejects.toMatchObject({
      quota: [{ subject: "service", description: "1 executions at once, 1 waiting" }],
    });
  });

  it("says to come back when there is a token, and then there is one", async () => {
    let time = 5;
    await using t = setUp({ slots: 9, tenantExecutionsPerMinute: 7, now: () => time });
    for (let count = 0; count < 7; count++) await (await t.acquire("a"))[Symbol.asyncDispose]();
    for (let round = 0; round < 20; round++) {
      const error = await t.acquire("a").catch((reason: unknown) => reason);
      time += ((error as CodemodeError).retryAfterMs ?? 0) - 1;
      await expect(t.acquire("a")).rejects.toMatchObject({ retryAfterMs: 1 });
      time += 1;
      await (await t.acquire("a"))[Symbol.asyncDispose]();
    }
  });

  it.each([
    ["the tenant's own line", { tenantQueueSize: 1 }],
    ["the queue", { queueSize: 1 }],
  ])("gives an estimate of 50 ms to 5 s when %s is full", async (_title, options) => {
    await using t = setUp({ slots: 1, tenantSlots: 1, ...options });
    await t.acquire("a");
    t.acquire("a").catch(() => {});
    const error = await t.acquire("a").catch((reason: CodemodeError) => reason);
    expect(error).toMatchObject({ kind: "overloaded", retryAfterMs: 200 });
  });

  it("refuses a waiting request whose engine went down, and serves the others", async () => {
    const info: { -readonly [K in keyof ExecutorInfo]: ExecutorInfo[K] } = {
      name: "cpython",
      languages: ["python"],
      up: true,
      reason: "the zygote died",
      version: "",
      isolationTier: "T2",
      probes: [],
      warnings: [],
    };
    const executor = { ...createScriptedExecutor({}), info: () => info };
    await using t = setUp({ executors: [executor], slots: 1 });
    const lease = await t.acquire("a");
    const refused = t.acquire("a");
    Object.assign(info, { up: false, isRestarting: true });
    await lease[Symbol.asyncDispose]();
    await expect(refused).rejects.toMatchObject({
      kind: "unavailable",
      message: "the engine of python is being started again: cpython is not up: the zygote died",
      retryable: true,
      retryAfterMs: 1_000,
    });
    info.up = true;
    await t.acquire("a");
  });
});

describe("the local dispatcher under a flood", () => {
  /** Milliseconds for refusals while so many others of so many tenants wait; the best of five. */
  async function costOf(waiting: number, refusals: number): Promise<number> {
    await using t = setUp({ slots: 1, queueSize: waiting });
    await t.acquire("first");
    const settled = Promise.allSettled(
      Array.from({ length: waiting }, (_, index) => t.acquire(`t${index % 1_000}`)),
    );
    const times = [];
    for (let round = 0; round < 5; round++) {
      const startedAt = performance.now();
      for (let count = 0; count < refusals; count++) await expectRefusal(t.acquire("t0"));
      times.push(performance.now() - startedAt);
    }
    await t.dispatcher.drain(AbortSignal.abort());
    await settled;
    return Math.min(...times);
  }

  async function expectRefusal(lease: Promise<unknown>): Promise<void> {
    const isRefused = await lease.then(
      () => false,
      () => true,
    );
    if (!isRefused) throw new Error("it was not refused");
  }

  it("refuses at the same cost however many wait", async () => {
    vi.useRealTimers();
    await costOf(10, 2_000);
    // A look at each of those that wait would cost a thousand times as much.
    expect(await costOf(20_000, 2_000)).toBeLessThan(20 * (await costOf(20, 2_000)));
  });
});
