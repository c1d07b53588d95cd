import { describe, expect, it } from "vitest";
import { close, put, take, toRing, wait } from "../../../../src/sandbox/pyodide/guest/ring.ts";

const stateBytes = 16;
/** A ring that holds so many bytes. */
const ringOf = (bytes: number) => toRing(new SharedArrayBuffer(stateBytes + bytes));

function taken(ring: ReturnType<typeof toRing>, length: number): number[] {
  const target = new Int8Array(length + 2);
  const count = take(ring, target, 1, length);
  expect([target[0], target[count + 1]]).toEqual([0, 0]); // nothing is written beside its place
  return [...target.subarray(1, count + 1)];
}

describe("a ring", () => {
  it("gives bytes in their order, at most as many as are asked for", async () => {
    const ring = ringOf(8);
    await put(ring, Uint8Array.of(1, 2, 3));
    expect(taken(ring, 2)).toEqual([1, 2]);
    expect(taken(ring, 5)).toEqual([3]);
  });

  it("goes round, whatever pieces come and go", async () => {
    const ring = ringOf(7);
    const [seen, said]: [number[], number[]] = [[], []];
    for (let round = 0; round < 50; round++) {
      const piece = Array.from({ length: 1 + (round % 5) }, (_, n) => (round + n) % 100);
      said.push(...piece);
      await put(ring, Uint8Array.from(piece));
      while (wait(ring, 0)) seen.push(...taken(ring, 1 + (round % 3)));
    }
    expect(seen).toEqual(said);
  });

  it("makes who puts in more than it holds wait until there is room", async () => {
    const ring = ringOf(4);
    const all = Uint8Array.from({ length: 23 }, (_, n) => n);
    let isDone = false;
    const pending = put(ring, all).then(() => {
      isDone = true;
    });
    const seen = taken(ring, 100);
    expect([seen, isDone]).toEqual([[0, 1, 2, 3], false]);
    while (seen.length < all.length) {
      await new Promise((resolve) => setImmediate(resolve));
      if (wait(ring, 0)) seen.push(...taken(ring, 100));
    }
    await pending;
    expect(seen).toEqual([...all]);
  });

  it("counts on when its counters have gone once round", async () => {
    const ring = ringOf(8);
    ring.state[1] = ring.state[2] = 2 ** 31 - 4;
    for (const piece of [
      [1, 2, 3, 4, 5, 6],
      [7, 8, 9],
    ]) {
      await put(ring, Uint8Array.from(piece));
      const seen: number[] = [];
      while (wait(ring, 0)) seen.push(...taken(ring, 8));
      expect(seen).toEqual(piece);
    }
  });

  it("tells when nothing came in time, and when nothing ever will", async () => {
    const ring = ringOf(8);
    expect(wait(ring, 5)).toBe(false);
    await put(ring, Uint8Array.of(1));
    close(ring);
    expect(wait(ring, 0)).toBe(true);
    expect(taken(ring, 8)).toEqual([1]);
    expect(taken(ring, 8)).toEqual([]);
  });
});
