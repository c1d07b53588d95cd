import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../../../src/execution/memory-store.ts";
import type { ExecutionStore } from "../../../src/execution/store.ts";
import { collect } from "../../support/collect.ts";
import { finished, isStill, openLog, output, settledSoon, take } from "../../support/logs.ts";

const never = new AbortController().signal;
const sequencesOf = (events: readonly { readonly sequence: number }[]) =>
  events.map(({ sequence }) => sequence);

describe("a reader that comes to lead later", () => {
  it("gets what is kept after its place, then what comes, each event once", async () => {
    const log = await openLog();
    for (const text of "abcd") await log.append(output(text));
    const reader = log.lead(1).read(never);
    const writing = log.append(output("e")).then(() => log.append(finished));
    expect(sequencesOf(await collect(reader))).toEqual([2, 3, 4, 5, 6]);
    await writing;
  });

  it("gets events once that are on their way to the store when it comes", async () => {
    const memory = createMemoryStore();
    const gate = Promise.withResolvers<void>();
    let isGated = false;
    const store: ExecutionStore = {
      ...memory,
      async append(...args) {
        const kept = await memory.append(...args);
        // In the store, and not yet told to readers.
        if (isGated) await gate.promise;
        return kept;
      },
    };
    const log = await openLog({ store });
    await log.append(output("a"));
    isGated = true;
    const noted = log.note({ type: "tool_host_changed", host: 2 });
    await settledSoon(noted);
    const reader = log.lead().read(never);
    const events = collect(reader);
    await settledSoon(events);
    gate.resolve();
    await noted;
    await log.append(finished);
    expect(sequencesOf(await events)).toEqual([1, 2, 3]);
  });

  it("holds the writer until it has read what was there", async () => {
    const log = await openLog({ store: createMemoryStore({ keptOutputBytes: 10_000 }) });
    for (let index = 0; index < 5; index++) await log.append(output("x".repeat(1_000)));
    const reader = log.lead(2).read(never);
    const held = log.append(output("y".repeat(9_000)));
    expect(await settledSoon(held)).toBe(isStill);
    expect(sequencesOf(await take(reader, 3))).toEqual([3, 4, 5]);
    expect(await settledSoon(held)).toBe(isStill);
    expect((await reader.next()).value).toMatchObject({ sequence: 6 });
    await held;
  });

  it("lets the writer go when it leaves before it has read that", async () => {
    const log = await openLog();
    await log.append(output("x"));
    const leading = log.lead();
    const held = log.append(output("y"));
    expect(await settledSoon(held)).toBe(isStill);
    leading.leave();
    await held;
  });

  it("loses nothing of far more output than is kept, however slowly it reads", async () => {
    const log = await openLog({
      store: createMemoryStore({ keptOutputBytes: 60_000 }),
      highWaterBytes: 20_000,
    });
    for (let index = 0; index < 40; index++) await log.append(output("x".repeat(1_000)));
    const reader = log.lead(3).read(never);
    const writing = (async () => {
      for (let index = 0; index < 200; index++) await log.append(output("y".repeat(1_000)));
      await log.append(finished);
    })();
    const seen = [];
    for await (const event of reader) {
      seen.push(event);
      await new Promise(setImmediate);
    }
    await writing;
    expect(sequencesOf(seen)).toEqual(Array.from({ length: 238 }, (_, index) => index + 4));
    expect(seen.some(({ type }) => type === "trimmed")).toBe(false);
  });

  it("ends at once on a log that has ended at its place", async () => {
    const log = await openLog();
    await log.append(output("a"));
    await log.append(finished);
    expect(await collect(log.lead(2).read(never))).toEqual([]);
    expect(sequencesOf(await collect(log.lead(1).read(never)))).toEqual([2]);
  });

  it("is given the error of a log that broke", async () => {
    const log = await openLog();
    log.end(new Error("disk full"));
    await expect(log.lead().read(never).next()).rejects.toThrow("disk full");
  });
});

describe("a reader that no longer leads", () => {
  it("frees the writer, and follows from where it is", async () => {
    const log = await openLog({ highWaterBytes: 20_000 });
    const first = log.lead().read(never);
    await log.append(output("a"));
    await take(first, 1);
    await log.append(output("x".repeat(5_000)));
    const blocked = log.append(output("y".repeat(5_000)));
    expect(await settledSoon(blocked)).toBe(isStill);
    log.lead(3).read(never);
    await blocked;
    await log.append(finished);
    expect(sequencesOf(await collect(first))).toEqual([2, 3, 4]);
  });

  it("is woken from its wait, and gets what comes", async () => {
    const log = await openLog();
    const first = log.lead().read(never);
    const next = first.next();
    log.lead();
    await log.append(output("a"));
    expect((await next).value).toMatchObject({ sequence: 1 });
  });

  it("falls behind like any other", async () => {
    const log = await openLog({ store: createMemoryStore({ keptOutputBytes: 3_000 }) });
    const first = log.lead().read(never);
    await log.append(output("a"));
    await take(first, 1);
    log.lead(1).leave();
    for (let index = 0; index < 5; index++) await log.append(output("x".repeat(1_000)));
    await expect(first.next()).rejects.toMatchObject({ kind: "out_of_range" });
  });
});

describe("a note", () => {
  it("waits for no reader", async () => {
    const log = await openLog({ highWaterBytes: 1_000 });
    log.lead();
    const blocked = log.append(output("x".repeat(2_000)));
    expect(await settledSoon(blocked)).toBe(isStill);
    await log.note({ type: "tool_host_changed", host: 2 });
    expect(log.lastSequence).toBe(2);
    log.lead().leave();
    await blocked;
  });
});
