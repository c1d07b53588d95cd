import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { jsonOf } from "../support/programs.ts";
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
