import { describe, expect, it } from "vitest";
import { LogCursor } from "../../../src/sdk/cursor.ts";
import type { StreamEvent } from "../../../src/sdk/stream-event.ts";
import type { EventBody } from "../../../src/shared/model.ts";

const at = (sequence: number, body: EventBody): StreamEvent => ({
  ...body,
  sequence,
  time: new Date(0),
  attempt: 1,
});
const output = (sequence: number, text: string) =>
  at(sequence, { type: "output", channel: "stdout", text });
const trimmed = (firstSequence: number, sequence: number, omittedBytes: number) =>
  at(sequence, { type: "trimmed", firstSequence, omittedBytes });
const hostChanged = (sequence: number, host: number) =>
  at(sequence, { type: "tool_host_changed", host });
const attached = (lastSequence: number) => ({ lastSequence, openCalls: [] });

const fromStart = () => new LogCursor({ afterSequence: 0, isHost: true });

describe("a cursor", () => {
  it("gives each event once, from its place on", () => {
    const cursor = new LogCursor({ executionId: "e", afterSequence: 2, isHost: false });
    const taken = [1, 2, 3, 3, 4].map((sequence) => cursor.take(output(sequence, "x")));
    expect(taken.map((event) => event?.sequence)).toEqual([undefined, undefined, 3, undefined, 4]);
    expect(cursor.sequence).toBe(4);
  });

  it("leaves a mark alone that begins after what was read", () => {
    const cursor = fromStart();
    cursor.take(output(1, "x"));
    const mark = trimmed(2, 9, 70);
    expect(cursor.take(mark)).toBe(mark);
  });

  it("takes from a mark what was read when it was still output", () => {
    const cursor = fromStart();
    cursor.take(hostChanged(1, 1));
    cursor.take(output(2, "ab"));
    cursor.take(output(3, "é"));
    expect(cursor.take(trimmed(2, 9, 104))).toEqual(trimmed(4, 9, 100));
    // The mark has grown when the log is read from its start again.
    cursor.take(output(10, "x"));
    expect(cursor.take(trimmed(2, 12, 130))).toEqual(trimmed(11, 12, 25));
    expect(cursor.sequence).toBe(12);
  });

  it("skips marks of what was read altogether", () => {
    const cursor = fromStart();
    cursor.take(output(1, "ab"));
    expect(cursor.take(trimmed(1, 1, 2))).toBeUndefined();
  });

  it("tells another tool host from its own taking over, and from those of the history", () => {
    const cursor = fromStart();
    cursor.attach(attached(5));
    for (const sequence of [2, 5]) cursor.take(hostChanged(sequence, sequence));
    expect(cursor.isHost).toBe(true);
    cursor.take(hostChanged(6, 3));
    expect(cursor.isHost).toBe(false);
  });

  it("is replaced by the first other host of a log that it began", () => {
    const cursor = fromStart();
    cursor.take(hostChanged(4, 2));
    expect(cursor.isHost).toBe(false);
  });

  it("knows when it has all that the log held", () => {
    const cursor = new LogCursor({ executionId: "e", afterSequence: 3, isHost: false });
    expect(cursor.hasAll).toBe(false);
    cursor.attach(attached(4));
    expect(cursor.hasAll).toBe(false);
    cursor.take(output(4, "x"));
    expect(cursor.hasAll).toBe(true);
  });
});
