import { describe, expect, it } from "vitest";
import { Slots } from "../../../../src/sandbox/pyodide/slots.ts";

const never = new AbortController().signal;

describe("slots", () => {
  it("are given in the order in which they were asked for", async () => {
    const slots = new Slots(2);
    const order: number[] = [];
    await slots.take(never);
    await slots.take(never);
    const asked = [1, 2, 3].map((n) => slots.take(never).then(() => order.push(n)));
    expect(order).toEqual([]);
    for (const _ of asked) slots.give();
    await Promise.all(asked);
    expect(order).toEqual([1, 2, 3]);
  });

  it("are not taken by who has left the line, also in the moment in which one is given", async () => {
    const slots = new Slots(1);
    await slots.take(never);
    const [early, late] = [new AbortController(), new AbortController()];
    const gone = slots.take(early.signal);
    const missed = slots.take(late.signal);
    early.abort(new Error("left"));
    await expect(gone).rejects.toThrow("left");
    late.abort(new Error("left too"));
    slots.give();
    await expect(missed).rejects.toThrow("left too");
    await slots.take(never);
  });
});
