import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { runAtOnce, runInTurns, type Steps } from "../../../src/shared/turns.ts";

/** Steps that take a millisecond each, and say when each was done. */
function* steps(count: number, done: (step: number) => void): Steps<string> {
  for (let step = 0; step < count; step++) {
    yield;
    const endsAt = performance.now() + 1;
    while (performance.now() < endsAt);
    done(step);
  }
  return "done";
}

it("gives the result of work in steps", async () => {
  const seen: number[] = [];
  expect(runAtOnce(steps(3, (step) => seen.push(step)))).toBe("done");
  expect(await runInTurns(steps(3, (step) => seen.push(step)))).toBe("done");
  expect(seen).toEqual([0, 1, 2, 0, 1, 2]);
});

it("lets others have turns of the loop between the steps of long work", async () => {
  let steps1 = 0;
  const most: number[] = [];
  let isOver = false;
  const work = runInTurns(steps(40, () => steps1++)).then(() => {
    isOver = true;
  });
  for (let before = steps1; !isOver; before = steps1) {
    await turn();
    most.push(steps1 - before);
  }
  await work;
  // A step takes a millisecond, and a turn has room for four of them.
  expect(Math.max(...most)).toBeLessThanOrEqual(5);
});

it("has one turn for one of several works, each after the other", async () => {
  const order: string[] = [];
  const work = (name: string) => runInTurns(steps(12, () => order.push(name)));
  const works = Promise.all([work("a"), work("b"), work("c")]);
  await works;
  for (const name of ["a", "b", "c"]) {
    // None is done in one piece.
    expect(order.lastIndexOf(name) - order.indexOf(name)).toBeGreaterThan(11);
  }
});

it("passes on what a step throws", async () => {
  function* failing(): Steps<void> {
    yield;
    throw new Error("no");
  }
  await expect(runInTurns(failing())).rejects.toThrow("no");
});
