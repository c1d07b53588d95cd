import { describe, expect, it, vi } from "vitest";
import { AsyncQueue, type AsyncQueueOptions } from "../../../src/shared/queue.ts";
import { collect } from "../../support/collect.ts";

function textQueue(options: Partial<AsyncQueueOptions<string>> = {}) {
  const onFull = vi.fn();
  const onDrain = vi.fn();
  const sizeOf = (text: string) => text.length;
  const queue = new AsyncQueue<string>({ sizeOf, highWater: 10, onFull, onDrain, ...options });
  return { queue, onFull, onDrain };
}

describe("AsyncQueue", () => {
  it("gives items in order, whether the reader or the producer comes first", async () => {
    const { queue } = textQueue();
    const first = queue.next();
    queue.push("a");
    queue.push("b");
    queue.push("c");
    queue.end();
    expect(await first).toEqual({ done: false, value: "a" });
    expect(await collect(queue)).toEqual(["b", "c"]);
  });

  it("pauses the producer at the high-water mark and lets it go on at half of it", async () => {
    const { queue, onFull, onDrain } = textQueue();
    queue.push("12345");
    expect(onFull).not.toHaveBeenCalled();
    queue.push("67890");
    queue.push("more");
    expect(onFull).toHaveBeenCalledTimes(1);
    await queue.next();
    expect(onDrain).not.toHaveBeenCalled();
    await queue.next();
    expect(onDrain).toHaveBeenCalledTimes(1);
    queue.push("x".repeat(10));
    expect(onFull).toHaveBeenCalledTimes(2);
  });

  it("counts merged items as what they were pushed as, so that it empties to zero", async () => {
    // Measured together, two halves of a character are smaller than apart.
    const sizeOf = (text: string) => Buffer.byteLength(text);
    const merge = (last: string, next: string) => last + next;
    const { queue, onFull, onDrain } = textQueue({ sizeOf, merge });
    for (let round = 0; round < 20; round++) {
      queue.push("\ud83d");
      queue.push("\ude00");
      expect(await queue.next()).toEqual({ done: false, value: "😀" });
    }
    expect(onFull).not.toHaveBeenCalled();
    queue.push("0123456789");
    await queue.next();
    expect(onDrain).toHaveBeenCalledTimes(1);
  });

  it("keeps items apart that do not merge", async () => {
    const merge = (last: string, next: string) => (last[0] === next[0] ? last + next : undefined);
    const { queue } = textQueue({ merge });
    for (const text of ["a1", "a2", "b1", "a3"]) queue.push(text);
    queue.end();
    expect(await collect(queue)).toEqual(["a1a2", "b1", "a3"]);
  });

  it("gives the error after what was waiting, once", async () => {
    const { queue } = textQueue();
    queue.push("a");
    queue.end(new Error("lost"));
    queue.push("too late");
    expect(await queue.next()).toEqual({ done: false, value: "a" });
    await expect(queue.next()).rejects.toThrow("lost");
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it("gives the error once to a reader that was waiting for it", async () => {
    const { queue } = textQueue();
    const waiting = queue.next();
    queue.end(new Error("lost"));
    await expect(waiting).rejects.toThrow("lost");
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it("drops everything when the reader leaves, and lets a paused producer go on", async () => {
    const { queue, onDrain } = textQueue();
    queue.push("0123456789");
    await queue.return();
    expect(onDrain).toHaveBeenCalledTimes(1);
    queue.push("dropped");
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it("wakes a waiting reader when it is ended by return", async () => {
    const { queue } = textQueue();
    const waiting = queue.next();
    await queue.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it("keeps its order over many items while it is never empty", async () => {
    const { queue } = textQueue({ highWater: Number.POSITIVE_INFINITY });
    queue.push("0");
    for (let index = 1; index < 5_000; index++) {
      queue.push(String(index));
      expect(await queue.next()).toEqual({ done: false, value: String(index - 1) });
    }
  });
});
