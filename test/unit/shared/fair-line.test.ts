import { describe, expect, it } from "vitest";
import { FairLine } from "../../../src/shared/fair-line.ts";

const never = new AbortController().signal;

function setUp() {
  const line = new FairLine<number>();
  const told: string[] = [];
  const ask = (name: string, group: string, signal = never) =>
    line.wait(group, signal).then(
      (thing) => told.push(`${name} got ${thing}`),
      (error) => told.push(`${name}: ${error.message}`),
    );
  return { line, told, ask };
}

describe("a fair line", () => {
  it("serves groups in turn, each in its order", async () => {
    const { line, told, ask } = setUp();
    const all = [1, 2, 3].map((n) => ask(`loud ${n}`, "loud"));
    all.push(ask("quiet 1", "quiet"));
    expect([1, 2, 3, 4, 5].map((thing) => line.give(thing))).toEqual([
      ...["loud", "quiet", "loud", "loud"],
      undefined,
    ]);
    await Promise.all(all);
    expect(told).toEqual(["loud 1 got 1", "quiet 1 got 2", "loud 2 got 3", "loud 3 got 4"]);
  });

  it("passes over a group that may not be served", async () => {
    const { line, told, ask } = setUp();
    void ask("loud", "loud");
    const quiet = ask("quiet", "quiet");
    expect(line.give(1, (group) => group !== "loud")).toBe("quiet");
    expect(line.give(2, (group) => group !== "loud")).toBeUndefined();
    await quiet;
    expect(told).toEqual(["quiet got 1"]);
    expect(line.size).toBe(1);
  });

  it("forgets one who gives up, and gives what was meant for it to the next", async () => {
    const { line, told, ask } = setUp();
    const controller = new AbortController();
    const all = [ask("first", "a", controller.signal), ask("second", "a")];
    controller.abort(new Error("enough"));
    expect(line.size).toBe(1);
    line.give(1);
    await Promise.all(all);
    expect(told.sort()).toEqual(["first: enough", "second got 1"]);
    await expect(line.wait("a", controller.signal)).rejects.toThrow("enough");
  });

  it("does not take back what was given in the moment before the signal aborts", async () => {
    const { line, told, ask } = setUp();
    const controller = new AbortController();
    const asked = ask("first", "a", controller.signal);
    line.give(1);
    controller.abort(new Error("late"));
    await asked;
    expect(told).toEqual(["first got 1"]);
  });

  it("tells all who wait that there will be nothing", async () => {
    const { line, told, ask } = setUp();
    const all = [ask("one", "a"), ask("two", "b")];
    line.refuseAll(new Error("closed"));
    await Promise.all(all);
    expect(told).toEqual(["one: closed", "two: closed"]);
    expect(line.give(1)).toBeUndefined();
  });
});
