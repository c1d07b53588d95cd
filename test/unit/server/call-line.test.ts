import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { CallLine, type ComingCall } from "../../../src/server/call-line.ts";

/** A line whose calls say their names when they begin, and the turns of the loop until it is empty. */
function startLine() {
  const begun: string[] = [];
  const line = new CallLine();
  const enter = (group: string, name: string, more: Partial<ComingCall> = {}) =>
    line.enter({
      group,
      pace: undefined,
      isOver: () => false,
      begin: () => void begun.push(name),
      ...more,
    });
  return { begun, enter };
}

it("begins no call in the turn in which it comes, and few in each turn after it", async () => {
  const { begun, enter } = startLine();
  for (let call = 0; call < 100; call += 1) enter("loud", `${call}`);
  expect(begun).toEqual([]);
  await setImmediate();
  expect(begun.length).toBeGreaterThan(0);
  expect(begun.length).toBeLessThan(20);
  while (begun.length < 100) await setImmediate();
  expect(begun).toEqual(Array.from({ length: 100 }, (_, call) => `${call}`));
});

it("begins a call of one group next, however many of another wait", async () => {
  const { begun, enter } = startLine();
  for (let call = 0; call < 100; call += 1) enter("loud", "loud");
  await setImmediate();
  enter("quiet", "quiet");
  const before = begun.length;
  while (!begun.includes("quiet") && begun.length < 100) await setImmediate();
  expect(begun.indexOf("quiet") - before).toBeLessThan(2);
  expect(begun).toContain("quiet");
});

it("never begins a call whose caller has left, and sees through any number of them at once", async () => {
  const { begun, enter } = startLine();
  for (let call = 0; call < 1_000; call += 1) enter("loud", "left", { isOver: () => true });
  enter("loud", "stayed");
  await setImmediate();
  expect(begun).toEqual(["stayed"]);
});
