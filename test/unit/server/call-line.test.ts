import { setImmediate } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { CallLine, type ComingCall } from "../../../src/server/call-line.ts";

/** A line whose calls say their names when they begin, and the turns of the loop until it is empty. */
function startLine(ownerOf = (group: string) => group) {
  const begun: string[] = [];
  const line = new CallLine(ownerOf);
  const enter = (group: string, name: string, more: Partial<ComingCall> = {}) =>
    line.enter({
      group,
      pace: undefined,
      isOver: () => false,
      begin: () => void begun.push(name),
      ...more,
    });
  return { begun, enter, line };
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

it("lets an owner whose calls are refused wait between them, and begins others' meanwhile", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    const { begun, enter, line } = startLine();
    const refuse = () => {
      begun.push("loud");
      line.refused("loud");
    };
    for (let call = 0; call < 100; call += 1) enter("loud", "loud", { begin: refuse });
    for (let turn = 0; turn < 200; turn += 1) await setImmediate();
    const refused = begun.length;
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(50);
    enter("quiet", "quiet");
    await setImmediate();
    expect(begun.at(-1)).toBe("quiet");
    for (let ms = 0; ms < 40; ms += 1) {
      vi.advanceTimersByTime(1);
      await setImmediate();
    }
    expect(begun.length).toBeGreaterThan(refused + 1);
    expect(begun.length).toBeLessThan(refused + 20);
    for (let ms = 0; ms < 1_000 && begun.length < 101; ms += 1) {
      vi.advanceTimersByTime(1);
      await setImmediate();
    }
    expect(begun).toHaveLength(101);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

it("knows calls that came before it was known to whom their connection belongs", async () => {
  const owners = new Map<string, string>();
  const { begun, enter, line } = startLine((group) => owners.get(group) ?? group);
  for (let time = 0; time < 100; time += 1) line.refused("loud");
  for (const group of ["10.0.0.1", "10.0.0.2"]) enter(group, group);
  owners.set("10.0.0.1", "loud");
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
  expect(begun).toEqual(["10.0.0.2"]);
});
