import { describe, expect, it } from "vitest";
import { FairQueue } from "../../../src/dispatch/fair-queue.ts";

const anyone = () => true;

function queueOf(...items: string[]) {
  const queue = new FairQueue<string>();
  for (const item of items) queue.push(item[0] ?? "", item);
  return queue;
}

function takeAll(queue: FairQueue<string>) {
  const taken: string[] = [];
  while (queue.size > 0) taken.push(queue.take(anyone) ?? "nobody");
  return taken;
}

describe("FairQueue", () => {
  it("takes tenants in turn, each in its own order", () => {
    expect(takeAll(queueOf("a1", "a2", "a3", "b1", "c1", "c2"))).toEqual([
      "a1",
      "b1",
      "c1",
      "a2",
      "c2",
      "a3",
    ]);
  });

  it("keeps the turn of a tenant that may not be served now", () => {
    const queue = queueOf("a1", "b1", "b2");
    expect(queue.take((tenant) => tenant !== "a")).toBe("b1");
    expect(takeAll(queue)).toEqual(["a1", "b2"]);
  });

  it("takes nothing when nobody may be served", () => {
    const queue = queueOf("a1");
    expect(queue.take(() => false)).toBeUndefined();
    expect(queue.size).toBe(1);
  });

  it("takes out an item in the middle, once", () => {
    const queue = queueOf("a1", "a2", "a3");
    expect(queue.remove("a", "a2")).toBe(true);
    expect(queue.remove("a", "a2")).toBe(false);
    expect(queue.size).toBe(2);
    expect(takeAll(queue)).toEqual(["a1", "a3"]);
  });

  it("gives a tenant that comes back a turn behind those who wait", () => {
    const queue = queueOf("a1", "b1");
    expect(queue.take(anyone)).toBe("a1");
    queue.push("a", "a2");
    expect(takeAll(queue)).toEqual(["b1", "a2"]);
  });

  it("names the newest of the longest line, and on a tie the tenant's own", () => {
    const queue = queueOf("a1", "a2", "b1", "b2", "b3");
    expect(queue.newestOfLongest("a")).toBe("b3");
    queue.push("a", "a3");
    expect(queue.newestOfLongest("a")).toBe("a3");
    expect(queue.newestOfLongest("b")).toBe("b3");
    expect(new FairQueue<string>().newestOfLongest("a")).toBeUndefined();
  });

  it("is empty once cleared", () => {
    const queue = queueOf("a1", "b1");
    expect(queue.clear()).toEqual(["a1", "b1"]);
    expect(queue.size).toBe(0);
    expect(queue.take(anyone)).toBeUndefined();
  });
});
