import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLocalDispatcher, type LocalDispatcherOptions } from "../../../src/dispatch/local.ts";
import { createMemoryGauge } from "../../../src/dispatch/memory.ts";
import type { EngineInfo } from "../../../src/shared/model.ts";
import { createScriptedExecutor } from "../../support/scripted-executor.ts";

const never = new AbortController().signal;

function setUp(options: Partial<LocalDispatcherOptions> = {}) {
  const dispatcher = createLocalDispatcher({
    executors: [createScriptedExecutor({})],
    slots: 2,
    queueSize: 10,
    tenantSlots: 2,
    memoryInUse: () => 0,
    ...options,
  });
  const acquire = (tenant: string) =>
    dispatcher.acquire({ executionId: "e", tenant, language: "python", memoryBytes: 1 }, never);
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

  it("refuses a waiting request whose engine went down, and serves the others", async () => {
    const info: { -readonly [K in keyof EngineInfo]: EngineInfo[K] } = {
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
    info.up = false;
    await lease[Symbol.asyncDispose]();
    await expect(refused).rejects.toMatchObject({
      kind: "unsupported",
      message: "no engine runs python: cpython is not up: the zygote died",
    });
    info.up = true;
    await t.acquire("a");
  });
});
