import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { descendants } from "../support/processes.ts";
import { collect, jsonOf } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

const language = "javascript";
const steps = 200_000;
const compute = (times: number) =>
  `let x = 0;\nfor (let i = 0; i < ${steps * times}; i++) x = (x * 31 + i) % 1000003;\nx`;

describe("a program of quickjs beside another tenant's", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  it("has its time however many short programs come one after the other", async () => {
    const times = 15; // what a program takes that computes for as long as so many short ones
    let ends = 0;
    let isOver = false;
    const underWay = Promise.withResolvers<void>();
    const callers = Array.from({ length: 16 }, async () => {
      while (!isOver) {
        await jsonOf(executor, compute(1), { language, group: "loud" });
        ends += 1;
        if (ends === 50) underWay.resolve();
      }
    });
    await underWay.promise;
    const before = ends;
    await jsonOf(executor, compute(times), { language, group: "quiet" });
    const beside = ends - before;
    isOver = true;
    await Promise.all(callers);
    // A core for each is `times`; where short ones never stand back, it is a hundred times that.
    expect(beside).toBeLessThan(times * 15);
  });
});

describe("programs of quickjs that want more memory than there is", () => {
  const mebibyte = 2 ** 20;
  const hold = `const all = [];\nfor (let i = 0; i < 60; i++) all.push(new Uint8Array(${mebibyte}));\nall.length`;

  it("wait, have it or end as memory, and never end the engine", async () => {
    await using executor = await startQuickjs({ memoryBytes: 224 * mebibyte, maxThreads: 8 });
    const engines = () => descendants().map(({ pid }) => pid);
    const before = engines();
    const all = Array.from({ length: 8 }, () =>
      collect(executor, hold, { language, group: "loud" }),
    );
    expect(await jsonOf(executor, "1 + 1", { language, group: "quiet" })).toBe(2);
    const results = (await Promise.all(all)).map(({ result }) => result);
    const refused = results.filter(({ status }) => status !== "completed");
    expect(refused.length).toBeLessThan(results.length);
    for (const result of refused) {
      expect(result).toMatchObject({
        error: { reason: "memory", message: expect.stringContaining("others hold") },
      });
    }
    // What they held is free again.
    expect(await jsonOf(executor, hold, { language, group: "loud" })).toBe(60);
    expect(engines()).toEqual(before);
  });

  it("have what those before them have left, also where that was in their own thread", async () => {
    await using executor = await startQuickjs({ memoryBytes: 200 * mebibyte, maxThreads: 2 });
    const big = hold.replaceAll("60", "110");
    const programs = [hold, big, `${hold}\nawait tools.wait({});`, big];
    const ends: unknown[] = [];
    for (const code of programs) {
      const controller = new AbortController();
      const { result } = await collect(executor, code, {
        language,
        signal: controller.signal,
        tools: [{ name: "wait" }],
        onCall: () => {
          controller.abort();
          return new Promise(() => {});
        },
      });
      ends.push(result.status === "completed" ? result.value.json : result.error.reason);
    }
    expect(ends).toEqual(["60", "110", "cancelled", "110"]);
  });

  it("are told so where there is not as much for one alone", async () => {
    await using executor = await startQuickjs({ memoryBytes: 80 * mebibyte });
    const { result } = await collect(executor, hold, { language });
    expect(result).toMatchObject({ error: { reason: "memory" } });
    expect(await jsonOf(executor, "1 + 1", { language })).toBe(2);
  });
});
