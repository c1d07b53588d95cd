import { expect, it } from "vitest";
import { fewInTurn, TurnMeter } from "../../../src/shared/few-in-turn.ts";

async function* countless(onEach: () => void) {
  for (;;) {
    onEach();
    yield;
  }
}

it("has a sequence of things wait for a later turn after a few of them", async () => {
  const meter = new TurnMeter("a");
  let isLater = false;
  setImmediate(() => {
    isLater = true;
  });
  const waits = Array.from({ length: 9 }, () => meter.count());
  expect(waits.map((wait) => wait === undefined)).toEqual([...Array(8).fill(true), false]);
  await waits.at(-1);
  expect(isLater).toBe(true);
});

it("leaves timers their turns beside a sequence without end, and ends with its reader", async () => {
  let isOver = false;
  setTimeout(() => {
    isOver = true;
  }, 1);
  let count = 0;
  for await (const _ of fewInTurn(
    "a",
    countless(() => (count += 1)),
  ))
    if (isOver) break;
  expect(count).toBeGreaterThan(0);
});

it("lets a tenant with one sequence go on as often as one with many", async () => {
  const counts = { loud: 0, quiet: 0 };
  let isOver = false;
  const read = async (tenant: "loud" | "quiet") => {
    for await (const _ of fewInTurn(
      tenant,
      countless(() => (counts[tenant] += 1)),
    )) {
      if (counts.quiet >= 800) isOver = true;
      if (isOver) break;
    }
  };
  await Promise.all([...Array.from({ length: 20 }, () => read("loud")), read("quiet")]);
  expect(counts.loud).toBeLessThan(3 * counts.quiet);
});
