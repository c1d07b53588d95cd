import { setImmediate } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { type Coming, Entrance } from "../../../src/server/entrance.ts";

/** An entrance at which calls say their names when they begin. */
function startEntrance(mayBegin = (_group: string) => true) {
  const begun: string[] = [];
  const entrance = new Entrance({ mayBegin });
  const enter = (group: string, name: string, more: Partial<Coming> = {}) =>
    entrance.enter({
      group,
      pace: undefined,
      isOver: () => false,
      begin: () => void begun.push(name),
      ...more,
    });
  return { begun, enter };
}

it("begins no call in the turn in which it comes, and few in each turn after it", async () => {
  const { begun, enter } = startEntrance();
  for (let call = 0; call < 100; call += 1) enter("loud", `${call}`);
  expect(begun).toEqual([]);
  await setImmediate();
  expect(begun.length).toBeGreaterThan(0);
  expect(begun.length).toBeLessThan(20);
  while (begun.length < 100) await setImmediate();
  expect(begun).toEqual(Array.from({ length: 100 }, (_, call) => `${call}`));
});

it("begins a call of one group next, however many of another wait", async () => {
  const { begun, enter } = startEntrance();
  for (let call = 0; call < 100; call += 1) enter("loud", "loud");
  await setImmediate();
  enter("quiet", "quiet");
  const before = begun.length;
  while (!begun.includes("quiet") && begun.length < 100) await setImmediate();
  expect(begun.indexOf("quiet") - before).toBeLessThan(2);
  expect(begun).toContain("quiet");
});

it("never begins a call whose caller has left, and sees through any number of them at once", async () => {
  const { begun, enter } = startEntrance();
  for (let call = 0; call < 1_000; call += 1) enter("loud", "left", { isOver: () => true });
  enter("loud", "stayed");
  await setImmediate();
  expect(begun).toEqual(["stayed"]);
});

it("keeps back a group that may not begin until it may, and begins others' meanwhile", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const atRest = new Set(["loud"]);
    const { begun, enter } = startEntrance((group) => !atRest.has(group));
    enter("loud", "loud");
    enter("quiet", "quiet");
    for (let turn = 0; turn < 10; turn += 1) await setImmediate();
    enter("quiet", "quiet again");
    for (let turn = 0; turn < 10; turn += 1) await setImmediate();
    vi.advanceTimersByTime(1_000);
    await setImmediate();
    expect(begun).toEqual(["quiet", "quiet again"]);
    atRest.clear();
    vi.advanceTimersByTime(10);
    await setImmediate();
    expect(begun).toEqual(["quiet", "quiet again", "loud"]);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
