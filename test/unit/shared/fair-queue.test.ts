import { describe, expect, it } from "vitest";
import { FairQueue, type Place } from "../../../src/shared/fair-queue.ts";
import { randomOf } from "../../support/random.ts";

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

  it("takes out an item wherever it stands, once", () => {
    for (const [out, left] of [
      ["a1", ["a2", "a3"]],
      ["a2", ["a1", "a3"]],
      ["a3", ["a1", "a2"]],
    ] as const) {
      const queue = new FairQueue<string>();
      const places = ["a1", "a2", "a3"].map((item) => queue.push("a", item));
      const place = places.find(({ item }) => item === out);
      if (place === undefined) throw new Error("no place");
      expect(queue.remove(place)).toBe(true);
      expect(queue.remove(place)).toBe(false);
      expect(queue.size).toBe(2);
      expect(takeAll(queue)).toEqual(left);
      expect(queue.remove(place)).toBe(false);
    }
  });

  it("knows how many of a tenant wait", () => {
    const queue = queueOf("a1", "a2", "b1");
    expect(["a", "b", "c"].map((tenant) => queue.sizeOf(tenant))).toEqual([2, 1, 0]);
    takeAll(queue);
    expect(queue.sizeOf("a")).toBe(0);
  });

  it("gives a tenant that comes back a turn behind those who wait", () => {
    const queue = queueOf("a1", "b1");
    expect(queue.take(anyone)).toBe("a1");
    queue.push("a", "a2");
    expect(takeAll(queue)).toEqual(["b1", "a2"]);
  });

  it("names the newest of the longest line, and on a tie the tenant's own", () => {
    const queue = queueOf("a1", "a2", "b1", "b2", "b3");
    expect(queue.newestOfLongest("a")?.item).toBe("b3");
    queue.push("a", "a3");
    expect(queue.newestOfLongest("a")?.item).toBe("a3");
    expect(queue.newestOfLongest("b")?.item).toBe("b3");
    expect(queue.newestOfLongest("c")?.item).toBe("b3");
    expect(new FairQueue<string>().newestOfLongest("a")).toBeUndefined();
  });

  it("names the longest line after any pushes, takes and removals", () => {
    const queue = new FairQueue<string>();
    const lines = new Map<string, Place<string>[]>();
    const random = randomOf(7);
    for (let step = 0; step < 5_000; step++) {
      const tenant = `t${Math.floor(random() * 8)}`;
      const line = lines.get(tenant) ?? [];
      lines.set(tenant, line);
      const action = random();
      if (action < 0.5) line.push(queue.push(tenant, `${tenant}-${step}`));
      else if (action < 0.75) {
        const [place] = line.splice(Math.floor(random() * line.length), 1);
        if (place !== undefined) expect(queue.remove(place)).toBe(true);
      } else {
        const item = queue.take(anyone);
        for (const each of lines.values()) if (each[0]?.item === item) each.shift();
      }
      const sizes = [...lines.values()].map((each) => each.length);
      expect(queue.size).toBe(sizes.reduce((sum, size) => sum + size, 0));
      const newest = queue.newestOfLongest(tenant);
      const longest = lines.get(newest?.tenant ?? "");
      expect(longest?.length ?? 0).toBe(Math.max(...sizes));
      expect(newest?.item).toBe(longest?.at(-1)?.item);
    }
  });

  it("is empty once cleared", () => {
    const queue = queueOf("a1", "b1");
    expect(queue.clear()).toEqual(["a1", "b1"]);
    expect(queue.size).toBe(0);
    expect(queue.take(anyone)).toBeUndefined();
  });
});
