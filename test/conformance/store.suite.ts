import { describe, expect, it } from "vitest";
import { eventCost } from "../../src/execution/retained.ts";
import type { ExecutionStore } from "../../src/execution/store.ts";
import type { EventBody, ExecutionEvent } from "../../src/shared/model.ts";

/** How a store under test is made. */
export interface StoreUnderTest {
  /** A new store that keeps so much output of each log, bytes. */
  create(keptOutputBytes: number): ExecutionStore | Promise<ExecutionStore>;
}

/** Numbers event bodies as a log does. */
export function numbered(bodies: readonly EventBody[], from = 1): ExecutionEvent[] {
  return bodies.map((body, index) => ({
    ...body,
    sequence: from + index,
    time: new Date(1_000 + index),
    attempt: 1,
  }));
}

const output = (text: string): EventBody => ({ type: "output", channel: "stdout", text });
const toolCall: EventBody = {
  type: "tool_call",
  callId: "1",
  callKey: "/0",
  tool: "weather",
  argumentsJson: '{"a":1}',
};
const toolResult: EventBody = {
  type: "tool_result",
  callId: "1",
  resultJson: "[9007199254740993]",
};
const all = Number.MAX_SAFE_INTEGER;
// Far more than a store of this suite keeps, in few events.
const flood = (events: number) => Array.from({ length: events }, () => output("x".repeat(50_000)));

/** What every ExecutionStore promises. */
export function storeSuite(name: string, { create }: StoreUnderTest): void {
  describe(`${name}, an ExecutionStore`, () => {
    it("gives back what was appended, in order, with every field", async () => {
      const store = await create(1_000_000);
      const { writerEpoch, lastSequence } = await store.open("e");
      expect(lastSequence).toBe(0);
      const events = numbered([output("a"), toolCall, toolResult, output("é😀")]);
      await store.append("e", writerEpoch, events.slice(0, 1));
      await store.append("e", writerEpoch, events.slice(1));
      expect(await store.read("e", 0, all)).toEqual({ events, lastSequence: 4 });
    });

    it("reads after a sequence, and at most as many as were asked for", async () => {
      const store = await create(1_000_000);
      const { writerEpoch } = await store.open("e");
      const events = numbered([output("1"), toolCall, output("3"), toolResult, output("5")]);
      await store.append("e", writerEpoch, events);
      expect((await store.read("e", 1, 3)).events).toEqual(events.slice(1, 4));
      expect((await store.read("e", 4, 3)).events).toEqual(events.slice(4));
      expect(await store.read("e", 5, 3)).toEqual({ events: [], lastSequence: 5 });
    });

    it("refuses the epoch of an earlier writer and takes the newest", async () => {
      const store = await create(1_000_000);
      const first = await store.open("e");
      await store.append("e", first.writerEpoch, numbered([output("1")]));
      const second = await store.open("e");
      expect(second.lastSequence).toBe(1);
      expect(second.writerEpoch).toBeGreaterThan(first.writerEpoch);
      const next = numbered([output("2")], 2);
      await expect(store.append("e", first.writerEpoch, next)).rejects.toMatchObject({
        kind: "already_exists",
      });
      await store.append("e", second.writerEpoch, next);
      expect((await store.read("e", 0, all)).lastSequence).toBe(2);
    });

    it.each([
      ["a gap", numbered([output("x")], 3)],
      ["a number that was given", numbered([output("x")], 1)],
      ["a gap inside", [...numbered([output("x")], 2), ...numbered([output("y")], 4)]],
    ])("refuses %s, and appends nothing of it", async (_what, events) => {
      const store = await create(1_000_000);
      const { writerEpoch } = await store.open("e");
      await store.append("e", writerEpoch, numbered([output("1")]));
      await expect(store.append("e", writerEpoch, events)).rejects.toMatchObject({
        kind: "already_exists",
      });
      expect((await store.read("e", 0, all)).lastSequence).toBe(1);
    });

    it("knows no log that was not opened, or was deleted", async () => {
      const store = await create(1_000_000);
      const notFound = { kind: "not_found" };
      await expect(store.read("e", 0, all)).rejects.toMatchObject(notFound);
      await expect(store.append("e", 1, numbered([output("1")]))).rejects.toMatchObject(notFound);
      const { writerEpoch } = await store.open("e");
      await store.delete("e");
      await store.delete("e");
      await expect(store.read("e", 0, all)).rejects.toMatchObject(notFound);
      await expect(store.append("e", writerEpoch, [])).rejects.toMatchObject(notFound);
    });

    it("keeps logs apart", async () => {
      const store = await create(1_000_000);
      const [a, b] = [await store.open("a"), await store.open("b")];
      await store.append("a", a.writerEpoch, numbered([output("of a")]));
      await store.append("b", b.writerEpoch, numbered([output("of b")]));
      expect((await store.read("a", 0, all)).events).toEqual(numbered([output("of a")]));
    });

    it("keeps the newest output, with one mark in place of what it dropped", async () => {
      const store = await create(200_000);
      const { writerEpoch } = await store.open("e");
      const events = numbered(flood(20));
      for (const event of events) await store.append("e", writerEpoch, [event]);
      const { events: kept, lastSequence } = await store.read("e", 0, all);
      expect(lastSequence).toBe(20);
      const [mark, ...rest] = kept;
      expect(rest.length).toBeGreaterThan(0);
      expect(rest.length).toBeLessThanOrEqual(4);
      expect(rest).toEqual(events.slice(-rest.length));
      const dropped = 20 - rest.length;
      expect(mark).toMatchObject({
        type: "trimmed",
        firstSequence: 1,
        sequence: dropped,
        omittedBytes: dropped * 50_000,
      });
    });

    it("never trims anything but output, and marks each stretch in its place", async () => {
      const store = await create(200_000);
      const { writerEpoch } = await store.open("e");
      const events = numbered([...flood(3), toolCall, ...flood(3), toolResult, ...flood(9)]);
      await store.append("e", writerEpoch, events);
      const { events: kept } = await store.read("e", 0, all);
      expect(kept.slice(0, 5)).toMatchObject([
        { type: "trimmed", firstSequence: 1, sequence: 3, omittedBytes: 150_000 },
        { type: "tool_call", sequence: 4 },
        { type: "trimmed", firstSequence: 5, sequence: 7, omittedBytes: 150_000 },
        { type: "tool_result", sequence: 8 },
        { type: "trimmed", firstSequence: 9 },
      ]);
      expect((await store.read("e", 4, 1)).events).toMatchObject([{ sequence: 7 }]);
      expect((await store.read("e", 8, 1)).events).toMatchObject([{ type: "trimmed" }]);
    });

    it("tells what it holds of a log after each append", async () => {
      const store = await create(200_000);
      const { writerEpoch } = await store.open("e");
      const events = numbered([toolCall, toolResult, ...flood(20)]);
      let expected = 0;
      for (const event of events.slice(0, 4)) {
        expected += eventCost(event);
        const { keptBytes } = await store.append("e", writerEpoch, [event]);
        expect(keptBytes).toBe(expected);
      }
      const { keptBytes } = await store.append("e", writerEpoch, events.slice(4));
      const { events: kept } = await store.read("e", 0, all);
      expect(keptBytes).toBe(kept.reduce((bytes, event) => bytes + eventCost(event), 0));
      expect(keptBytes).toBeLessThan(210_000);
    });

    it("bounds a flood of single characters, too", async () => {
      const store = await create(20_000);
      const { writerEpoch } = await store.open("e");
      const singles = Array.from({ length: 20_000 }, () => output("x"));
      await store.append("e", writerEpoch, numbered(singles));
      expect((await store.read("e", 0, all)).events.length).toBeLessThan(1_000);
    });
  });
}
