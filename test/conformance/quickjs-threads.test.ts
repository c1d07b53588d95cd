import { describe, expect, it, vi } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { startDeadline } from "../../src/shared/abort.ts";
import { Stop } from "../../src/shared/stop.ts";
import { type Collected, collect, type RunOptions } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

const language = "javascript";
const tools = [{ name: "echo" }];
const spin = 'console.log("ready");\nwhile (true) {}';
// One operation of the language's own library, in which it looks at nothing.
const stuck =
  'const text = "a".repeat(4e6), part = "a".repeat(2e6) + "b";\nconsole.log("ready");\ntext.indexOf(part);';

/** Ten programs of one tenant that wait for a tool, and what lets them go on. */
async function startWaiters(executor: Executor, count = 10, group = "tenant") {
  const asked = Array.from({ length: count }, () => Promise.withResolvers<void>());
  const answers = Promise.withResolvers<void>();
  const ended = asked.map(({ resolve }, n) =>
    collect(executor, `return (await tools.echo({ n: ${n} })) + 1;`, {
      language,
      group,
      tools,
      onCall: async () => {
        resolve();
        await answers.promise;
        return n;
      },
    }),
  );
  await Promise.all(asked.map(({ promise }) => promise));
  return { answer: answers.resolve, ended: Promise.all(ended) };
}

/** A program that has said "ready" and goes on; `stop` aborts it. */
async function startBusy(executor: Executor, code: string, options: RunOptions = {}) {
  const controller = new AbortController();
  const ready = Promise.withResolvers<void>();
  const ended = collect(executor, code, {
    language,
    group: "tenant",
    signal: controller.signal,
    onEvent: (event) => event.type === "output" && ready.resolve(),
    ...options,
  });
  await ready.promise;
  return { ended, stop: () => controller.abort(new Stop("cancelled", "enough")) };
}

const values = (all: readonly Collected[]) =>
  all.map(({ result }) => (result.status === "completed" ? result.value.json : result.error));
const ten = Array.from({ length: 10 }, (_, n) => String(n + 1));
const oneThread = { maxThreads: 1, warmThreads: 1 };

describe("ten programs of one tenant that wait on one thread", () => {
  it("get their answers once a mate that spins is at its CPU limit", async () => {
    await using executor = await startQuickjs(oneThread);
    const waiters = await startWaiters(executor);
    const mate = await startBusy(executor, spin, { limits: { activeMs: 400 } });
    waiters.answer();
    expect((await mate.ended).result).toMatchObject({ error: { reason: "timeout" } });
    expect(values(await waiters.ended)).toEqual(ten);
  });

  it("get their answers once a mate that spins is killed", async () => {
    await using executor = await startQuickjs(oneThread);
    const waiters = await startWaiters(executor);
    const mate = await startBusy(executor, spin);
    waiters.answer();
    mate.stop();
    expect((await mate.ended).result).toMatchObject({ error: { reason: "cancelled" } });
    expect(values(await waiters.ended)).toEqual(ten);
  });

  it("are told to run again when a mate is killed that only its thread's end can stop", async () => {
    await using executor = await startQuickjs(oneThread);
    const waiters = await startWaiters(executor);
    const mate = await startBusy(executor, stuck);
    waiters.answer();
    mate.stop();
    expect((await mate.ended).result).toMatchObject({ error: { reason: "cancelled" } });
    for (const { result } of await waiters.ended) {
      expect(result).toMatchObject({
        status: "failed",
        error: {
          reason: "crashed",
          message:
            "the program was lost: another program of the same tenant held its thread and had to be stopped",
        },
      });
    }
    const again = await startWaiters(executor);
    again.answer();
    expect(values(await again.ended)).toEqual(ten);
  });

  it("are told to run again when a mate that is stuck is at its CPU limit", async () => {
    await using executor = await startQuickjs(oneThread);
    const waiters = await startWaiters(executor);
    const mate = await startBusy(executor, stuck, { limits: { activeMs: 300 } });
    const { result, usage } = await mate.ended;
    expect(result).toMatchObject({ error: { reason: "timeout" } });
    expect(usage.cpuMs).toBeGreaterThanOrEqual(290);
    for (const { result: lost } of await waiters.ended) {
      expect(lost).toMatchObject({ error: { reason: "crashed" } });
    }
  });

  it("are killed at once while a mate spins", async () => {
    await using executor = await startQuickjs(oneThread);
    const asked = Promise.withResolvers<void>();
    const controller = new AbortController();
    const waiter = collect(executor, "await tools.echo({});", {
      language,
      group: "tenant",
      tools,
      signal: controller.signal,
      onCall: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    });
    await asked.promise;
    const mate = await startBusy(executor, spin);
    controller.abort(new Stop("cancelled", "enough"));
    expect((await waiter).result).toMatchObject({ error: { reason: "cancelled" } });
    mate.stop();
    // The mate was not touched by it: it ends for its own reason.
    expect((await mate.ended).result).toMatchObject({ error: { message: "enough" } });
  });
});

describe("the threads of quickjs", () => {
  it("never hold programs of two tenants: another one waits for its turn, and gets it", async () => {
    await using executor = await startQuickjs(oneThread);
    const waiters = await startWaiters(executor, 2);
    const order: string[] = [];
    const other = collect(executor, "return 1;", { language, group: "other" }).then((all) => {
      order.push("other");
      return all;
    });
    waiters.answer();
    await waiters.ended.then(() => order.push("waiters"));
    expect((await other).result).toMatchObject({ value: { json: "1" } });
    expect(order).toEqual(["waiters", "other"]);
  });

  it("let another tenant's program run beside one that spins", async () => {
    await using executor = await startQuickjs({ maxThreads: 2, warmThreads: 2 });
    const busy = await startBusy(executor, spin);
    for (let n = 0; n < 20; n++) {
      const { result } = await collect(executor, `return ${n};`, { language, group: "other" });
      expect(result).toMatchObject({ value: { json: String(n) } });
    }
    busy.stop();
    await busy.ended;
  });

  it("serve tenants in turn, however many programs of one wait", async () => {
    await using executor = await startQuickjs(oneThread);
    const busy = await startBusy(executor, spin);
    const order: string[] = [];
    const ask = (group: string, code: string) =>
      collect(executor, code, { language, group, limits: { activeMs: 100 } }).then(() =>
        order.push(group),
      );
    const all = Array.from({ length: 6 }, () => ask("tenant", "while (true) {}"));
    all.push(ask("other", "return 1;"));
    busy.stop();
    await Promise.all([busy.ended, ...all]);
    expect(order.indexOf("other")).toBeLessThan(4);
  });

  it("are not all held by one tenant, however many programs it has that do not end", async () => {
    await using executor = await startQuickjs({ maxThreads: 3, warmThreads: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const limits = { activeMs: 60_000 };
    const options = { language, group: "tenant", signal, limits };
    let begun = 0;
    let over = 0;
    const onEvent = ({ type }: { readonly type: string }) => {
      if (type === "output") begun += 1;
    };
    const busy = Array.from({ length: 10 }, async () => {
      await collect(executor, spin, { ...options, onEvent }).catch(() => {});
      over += 1;
    });
    await vi.waitFor(() => expect(begun).toBeGreaterThan(1), 10_000);
    const { result } = await collect(executor, "return 1;", { language, group: "other" });
    expect(result).toMatchObject({ value: { json: "1" } });
    // It did not wait for one of them to end.
    expect(over).toBe(0);
    controller.abort(new Stop("cancelled", "enough"));
    await Promise.all(busy);
  });

  it("let programs that compute for long take turns, each to the end of its CPU time", async () => {
    await using executor = await startQuickjs({ maxThreads: 8, warmThreads: 2 });
    const options = { language, limits: { activeMs: 300 } };
    const all = Array.from({ length: 7 }, (_, n) =>
      collect(executor, "while (true) {}", { ...options, group: `tenant ${n % 3}` }),
    );
    for (const { result, usage } of await Promise.all(all)) {
      expect(result).toMatchObject({ error: { reason: "timeout" } });
      expect(usage.cpuMs).toBeGreaterThanOrEqual(290);
      expect(usage.cpuMs).toBeLessThan(600);
    }
  });

  it("end programs at once that stand still until it is their turn", async () => {
    await using executor = await startQuickjs({ maxThreads: 12, warmThreads: 2 });
    const controller = new AbortController();
    const code =
      "for (;;) { const end = Date.now() + 100; while (Date.now() < end); console.log(0); }";
    const ticks = Array.from({ length: 10 }, () => 0);
    const busy = ticks.map((_, n) =>
      collect(executor, code, {
        language,
        group: "tenant",
        signal: controller.signal,
        onEvent: () => ticks.splice(n, 1, (ticks[n] ?? 0) + 1),
      }),
    );
    // All of them have computed for long by then, and there are more than cores.
    await vi.waitFor(() => expect(Math.min(...ticks)).toBeGreaterThan(3), 20_000);
    controller.abort(new Stop("cancelled", "enough"));
    for (const { result } of await Promise.all(busy)) {
      expect(result).toMatchObject({ error: { reason: "cancelled" } });
    }
  });

  it("are replaced when they have been stopped, and others go on meanwhile", async () => {
    await using executor = await startQuickjs({ maxThreads: 2, warmThreads: 2 });
    for (let n = 0; n < 3; n++) {
      const busy = await startBusy(executor, stuck);
      busy.stop();
      const { result } = await collect(executor, "return 1;", { language, group: "other" });
      expect(result).toMatchObject({ value: { json: "1" } });
      expect((await busy.ended).result).toMatchObject({ error: { reason: "cancelled" } });
    }
  });

  it("hold a thousand programs that wait for tools, and answer all of them", async () => {
    // They take some 2.4 MiB each, all of one tenant: on a small machine they would not fit by themselves.
    const memoryBytes = 4 * 1024 ** 3;
    await using executor = await startQuickjs({ maxThreads: 4, warmThreads: 2, memoryBytes });
    const waiters = await startWaiters(executor, 1_000);
    waiters.answer();
    expect(values(await waiters.ended)).toEqual(
      Array.from({ length: 1_000 }, (_, n) => String(n + 1)),
    );
  }, 120_000);

  it("stop a lease that waits when its signal aborts, and go on", async () => {
    await using executor = await startQuickjs(oneThread);
    const busy = await startBusy(executor, spin);
    using deadline = startDeadline({ ms: 50, reason: new Stop("timeout", "time is up") });
    const waiting = collect(executor, "1", { language, group: "other", signal: deadline.signal });
    await expect(waiting).rejects.toMatchObject({ reason: "timeout" });
    busy.stop();
    await busy.ended;
    const { result } = await collect(executor, "1", { language, group: "other" });
    expect(result).toMatchObject({ value: { json: "1" } });
  });

  it("go on when a program that floods is killed while nobody reads", async () => {
    await using executor = await startQuickjs(oneThread);
    const controller = new AbortController();
    const flood = 'while (true) console.log("x".repeat(999));';
    const limits = { outputBytes: 2 ** 40 };
    const ended = collect(executor, flood, {
      language,
      group: "tenant",
      limits,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === "output") controller.abort(new Stop("cancelled", "enough"));
      },
    });
    expect((await ended).result).toMatchObject({ error: { reason: "cancelled" } });
    const { result } = await collect(executor, "1", { language, group: "tenant" });
    expect(result).toMatchObject({ value: { json: "1" } });
  });
});
