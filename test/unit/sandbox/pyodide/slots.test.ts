import { describe, expect, it } from "vitest";
import { Slots } from "../../../../src/sandbox/pyodide/slots.ts";

const never = new AbortController().signal;

describe("slots", () => {
  it("are given to groups in turn, each in the order in which it asked", async () => {
    const slots = new Slots(2);
    const order: string[] = [];
    await slots.take("loud", never);
    await slots.take("loud", never);
    const ask = (name: string, group: string) =>
      slots.take(group, never).then(() => order.push(name));
    const asked = [1, 2, 3].map((n) => ask(`loud ${n}`, "loud"));
    asked.push(ask("quiet", "quiet"));
    expect(order).toEqual([]);
    for (const group of ["loud", "loud", "loud", "quiet"]) slots.give(group);
    await Promise.all(asked);
    expect(order).toEqual(["loud 1", "quiet", "loud 2", "loud 3"]);
  });

  it.each([3, 8, 32])("of %d are not all held by one group", async (count) => {
    const slots = new Slots(count);
    let held = 0;
    for (let n = 0; n < 2 * count; n++) void slots.take("loud", never).then(() => held++);
    await slots.take("quiet", never);
    expect(held).toBeGreaterThanOrEqual(Math.floor(count * 0.6));
    expect(held).toBeLessThan(count);
  });

  it("are not taken by who has left the line", async () => {
    const slots = new Slots(1);
    await slots.take("a", never);
    const [early, late] = [new AbortController(), new AbortController()];
    const gone = slots.take("a", early.signal);
    const missed = slots.take("b", late.signal);
    early.abort(new Error("left"));
    await expect(gone).rejects.toThrow("left");
    late.abort(new Error("left too"));
    slots.give("a");
    await expect(missed).rejects.toThrow("left too");
    await slots.take("b", never);
  });
});
