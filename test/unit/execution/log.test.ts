import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../../../src/execution/memory-store.ts";
import type { ExecutionStore } from "../../../src/execution/store.ts";
import { collect } from "../../support/collect.ts";
import { finished, isStill, openLog, output, settledSoon, take } from "../../support/logs.ts";

const never = new AbortController().signal;

describe("the writer of a log", () => {
  it("numbers events from 1 and shows them to the leading reader as they come", async () => {
    const log = await openLog();
    const reader = log.lead().read(never);
    const first = reader.next();
    await log.append(output("a"));
    expect((await first).value).toMatchObject({ sequence: 1, attempt: 1, text: "a" });
    await log.append(finished);
    expect(await collect(reader)).toMatchObject([{ sequence: 2, type: "finished" }]);
  });

  it("takes nothing after finished", async () => {
    const log = await openLog();
    await log.append(finished);
    await expect(log.append(output("late"))).rejects.toThrow("comes too late");
    await expect(log.append(finished)).rejects.toThrow("comes too late");
    expect(await collect(log.follow(0, never))).toHaveLength(1);
  });

  it("keeps the order of appends that do not wait for each other, on a slow store", async () => {
    const memory = createMemoryStore();
    const turns = [3, 0, 2, 1];
    const store: ExecutionStore = {
      ...memory,
      async append(...args) {
        for (let turn = turns.shift() ?? 0; turn > 0; turn--) await new Promise(setImmediate);
        return memory.append(...args);
      },
    };
    const log = await openLog({ store });
    await Promise.all(
      [..."abc"].map((text) => log.append(output(text))).concat(log.append(finished)),
    );
    const events = await collect(log.lead().read(never));
    expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(events.slice(0, 3)).toMatchObject([{ text: "a" }, { text: "b" }, { text: "c" }]);
  });

  it("shows an event only when the store has it", async () => {
    const memory = createMemoryStore();
    const stored = Promise.withResolvers<void>();
    const store: ExecutionStore = {
      ...memory,
      append: async (...args) => {
        await stored.promise;
        return memory.append(...args);
      },
    };
    const log = await openLog({ store });
    const next = log.lead().read(never).next();
    const appended = log.append(output("a"));
    expect(await settledSoon(next)).toBe(isStill);
    stored.resolve();
    await appended;
    expect((await next).value).toMatchObject({ text: "a" });
  });

  it("fails its readers and later appends when the store fails", async () => {
    const store = createMemoryStore();
    const log = await openLog({ store });
    const leading = collect(log.lead().read(never));
    const following = collect(log.follow(0, never));
    leading.catch(() => {});
    following.catch(() => {});
    await log.append(output("a"));
    await store.open("e");
    await expect(log.append(output("b"))).rejects.toMatchObject({ kind: "already_exists" });
    await expect(log.append(output("c"))).rejects.toThrow();
    await expect(leading).rejects.toMatchObject({ kind: "already_exists" });
    await expect(following).rejects.toMatchObject({ kind: "already_exists" });
  });

  it("hands the error of a program that never started to its readers", async () => {
    const log = await openLog();
    const leading = log.lead().read(never).next();
    const following = log.follow(0, never).next();
    log.end(new Error("no slot"));
    await expect(leading).rejects.toThrow("no slot");
    await expect(following).rejects.toThrow("no slot");
  });
});

describe("the leading reader of a log", () => {
  it("slows the writer when it is far behind, and speeds it up by reading", async () => {
    const log = await openLog({ highWaterBytes: 20_000 });
    const leading = log.lead();
    await log.append(output("x".repeat(5_000)));
    const blocked = log.append(output("y".repeat(5_000)));
    expect(await settledSoon(blocked)).toBe(isStill);
    await take(leading.read(never), 2);
    await blocked;
  });

  it("loses nothing of far more output than is kept", async () => {
    const store = createMemoryStore({ keptOutputBytes: 10_000 });
    const log = await openLog({ store, highWaterBytes: 5_000 });
    const write = async () => {
      for (let index = 0; index < 500; index++) await log.append(output(`${index}`.repeat(200)));
      await log.append(finished);
    };
    const written = write();
    const events = await collect(log.lead().read(never));
    await written;
    expect(events.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 501 }, (_, i) => i + 1),
    );
    expect(events.some(({ type }) => type === "trimmed")).toBe(false);
  });

  it("no longer slows the writer once it leaves", async () => {
    const log = await openLog({ highWaterBytes: 1_000 });
    const reader = log.lead().read(never);
    const first = reader.next();
    await log.append(output("a"));
    await first;
    const blocked = log.append(output("x".repeat(2_000)));
    expect(await settledSoon(blocked)).toBe(isStill);
    await reader.return();
    await blocked;
    await log.append(output("x".repeat(2_000)));
  });

  it("ends with the reason when its signal aborts, at once and in the middle of a wait", async () => {
    const log = await openLog();
    const controller = new AbortController();
    const waiting = log.lead().read(controller.signal).next();
    controller.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
  });

  it("does not hold up the end of a program: finished waits for nobody", async () => {
    const log = await openLog({ highWaterBytes: 1_000 });
    const leading = log.lead();
    const blocked = log.append(output("x".repeat(2_000)));
    await log.append(finished);
    expect(await take(leading.read(never), 3)).toHaveLength(2);
    await blocked;
  });

  it("does not hold up a program that is being stopped", async () => {
    const stop = new AbortController();
    const log = await openLog({ highWaterBytes: 1_000, signal: stop.signal });
    log.lead();
    const blocked = log.append(output("x".repeat(2_000)));
    expect(await settledSoon(blocked)).toBe(isStill);
    stop.abort();
    await blocked;
  });
});

describe("a following reader of a log", () => {
  it("gets what is kept, then what comes, to finished", async () => {
    const log = await openLog();
    await log.append(output("a"));
    await log.append(output("b"));
    const reader = log.follow(0, never);
    expect(await take(reader, 2)).toMatchObject([{ text: "a" }, { text: "b" }]);
    const next = reader.next();
    await log.append(finished);
    expect((await next).value).toMatchObject({ type: "finished", sequence: 3 });
    expect((await reader.next()).done).toBe(true);
  });

  it("starts after the sequence that it names, the last one included", async () => {
    const log = await openLog();
    await log.append(output("a"));
    await log.append(output("b"));
    await log.append(finished);
    expect(await collect(log.follow(1, never))).toMatchObject([{ sequence: 2 }, { sequence: 3 }]);
    expect(await collect(log.follow(3, never))).toEqual([]);
  });

  it("is refused beyond the end of the log", async () => {
    const log = await openLog();
    await log.append(output("a"));
    await expect(log.follow(7, never).next()).rejects.toMatchObject({
      kind: "out_of_range",
      message: "there is no event 7: the log ends at event 1",
    });
  });

  it("never slows the writer", async () => {
    const log = await openLog({ highWaterBytes: 1_000 });
    await log.append(output("a"));
    const reader = log.follow(0, never);
    await reader.next();
    for (let index = 0; index < 10; index++) await log.append(output("x".repeat(1_000)));
    expect(await take(reader, 10)).toHaveLength(10);
  });

  it("that reads from the start sees a mark where output was dropped", async () => {
    const log = await openLog({ store: createMemoryStore({ keptOutputBytes: 3_000 }) });
    for (let index = 0; index < 5; index++) await log.append(output("x".repeat(1_000)));
    await log.append(finished);
    const events = await collect(log.follow(0, never));
    expect(events.map(({ type, sequence }) => [type, sequence])).toEqual([
      ["trimmed", 3],
      ["output", 4],
      ["output", 5],
      ["finished", 6],
    ]);
  });

  it("that had a place and fell behind is told what is left", async () => {
    const log = await openLog({ store: createMemoryStore({ keptOutputBytes: 3_000 }) });
    for (let index = 0; index < 5; index++) await log.append(output("x".repeat(1_000)));
    await expect(log.follow(1, never).next()).rejects.toMatchObject({
      kind: "out_of_range",
      message: "output after event 1 is no longer kept: the log goes on after event 3",
    });
  });

  it("ends with the reason when its signal aborts", async () => {
    const log = await openLog();
    const controller = new AbortController();
    const next = log.follow(0, controller.signal).next();
    controller.abort(new Error("gone"));
    await expect(next).rejects.toThrow("gone");
  });
});
