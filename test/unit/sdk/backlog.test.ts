import { describe, expect, it } from "vitest";
import { Backlog, largeBacklog } from "../../../src/sdk/backlog.ts";
import type { StreamEvent } from "../../../src/sdk/stream-event.ts";

const at = (sequence: number) => ({ sequence, time: new Date(0), attempt: 1 });
const output = (sequence: number, bytes: number): StreamEvent => ({
  type: "output",
  channel: "stdout",
  text: "x".repeat(bytes),
  ...at(sequence),
});

function drain(backlog: Backlog): StreamEvent[] {
  const events: StreamEvent[] = [];
  for (let event = backlog.shift(); event !== undefined; event = backlog.shift())
    events.push(event);
  return events;
}

describe("Backlog", () => {
  it("gives events back in order", () => {
    const backlog = new Backlog();
    for (const sequence of [1, 2, 3]) backlog.push(output(sequence, 1));
    expect(drain(backlog).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  it("drops the oldest output beyond 1 MiB and says where and how much", () => {
    const backlog = new Backlog();
    backlog.push({ type: "unknown", ...at(1) });
    for (let sequence = 2; sequence <= 13; sequence++) backlog.push(output(sequence, 100_000));
    const events = drain(backlog);
    expect(events.map(({ type }) => type).slice(0, 2)).toEqual(["unknown", "trimmed"]);
    expect(events[1]).toMatchObject({ firstSequence: 2, sequence: 3, omittedBytes: 200_000 });
    expect(events.slice(2).map(({ sequence }) => sequence)).toEqual([
      4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
    ]);
  });

  it("keeps at most 1,024 events of output, and never drops another kind", () => {
    const backlog = new Backlog();
    for (let sequence = 1; sequence <= 5000; sequence++) backlog.push(output(sequence, 1));
    const events = drain(backlog);
    expect(events).toHaveLength(1024);
    expect(events[0]).toMatchObject({ type: "trimmed", firstSequence: 1, omittedBytes: 3977 });

    for (let sequence = 1; sequence <= 2000; sequence++)
      backlog.push({ type: "unknown", ...at(sequence) });
    expect(drain(backlog)).toHaveLength(2000);
  });

  it("stays in order, each output counted once, while it is full and taken from", () => {
    const backlog = new Backlog();
    const taken: StreamEvent[] = [];
    for (let sequence = 1; sequence <= 6_000; sequence++) {
      backlog.push(
        sequence % 10 === 0 ? { type: "unknown", ...at(sequence) } : output(sequence, 1),
      );
      const event = sequence % 2 === 0 ? backlog.shift() : undefined;
      if (event !== undefined) taken.push(event);
    }
    const events = [...taken, ...drain(backlog)];
    const sequences = events.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.toSorted((one, other) => one - other));
    expect(events.filter(({ type }) => type === "unknown")).toHaveLength(600);
    const bytes = events.map((event) => {
      if (event.type === "trimmed") return event.omittedBytes;
      return event.type === "output" ? event.text.length : 0;
    });
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBe(5_400);
  });

  it("has room again for what was taken", () => {
    const backlog = new Backlog();
    for (let sequence = 1; sequence <= 50; sequence++) {
      backlog.push(output(sequence, 900_000));
      expect(backlog.shift()).toMatchObject({ type: "output", sequence });
    }
  });

  it("leaves out tools' payloads, the oldest first, where dropping output is not enough", () => {
    const backlog = new Backlog();
    const text = "x".repeat(300_000);
    backlog.push(output(1, 100_000));
    for (let sequence = 2; sequence <= 8; sequence += 2) {
      const callId = `c${sequence}`;
      const call = { callId, callKey: "/1", tool: "t", argumentsJson: text };
      backlog.push({ type: "tool_call", ...call, ...at(sequence) });
      backlog.push({ type: "tool_result", callId, resultJson: text, ...at(sequence + 1) });
    }
    const error = { kind: "exception", type: "", message: text } as const;
    backlog.push({ type: "tool_result", callId: "c", error, ...at(10) });
    const events = drain(backlog);
    expect(events).toHaveLength(10);
    expect(events[0]).toMatchObject({ type: "trimmed", omittedBytes: 100_000 });
    expect(events[1]).toMatchObject({ argumentsJson: "", argumentsOmitted: true, tool: "t" });
    expect(events[2]).toMatchObject({ resultJson: "", resultOmitted: true });
    expect(events[5]).toMatchObject({ argumentsOmitted: true });
    expect(events[6]).toMatchObject({ resultJson: text });
    expect(events[7]).toMatchObject({ argumentsJson: text });
    expect(events[9]).toMatchObject({ error });
  });

  it("keeps 16 MiB for a loop that is slower than the reading must be", () => {
    const backlog = new Backlog();
    for (let sequence = 1; sequence <= 17; sequence++) {
      backlog.push(output(sequence, 1024 * 1024), largeBacklog);
    }
    const events = drain(backlog);
    expect(events).toHaveLength(17);
    expect(events[0]).toMatchObject({ type: "trimmed", omittedBytes: 1024 * 1024 });
  });

  it("looks at an event a bounded number of times, however many stand before it", () => {
    let looks = 0;
    const counted = (event: StreamEvent): StreamEvent =>
      Object.defineProperty({ ...event }, "type", {
        enumerable: true,
        get() {
          looks += 1;
          return event.type;
        },
      });
    const backlog = new Backlog();
    const many = 5000;
    const call = { callId: "c", callKey: "/1", tool: "t", argumentsJson: "{}" };
    for (let sequence = 1; sequence <= many; sequence++) {
      backlog.push(counted({ type: "unknown", ...at(sequence) }));
    }
    for (let sequence = many + 1; sequence <= 2 * many; sequence += 2) {
      backlog.push(counted(output(sequence, 1)));
      backlog.push(counted({ type: "tool_call", ...call, ...at(sequence + 1) }));
    }
    expect(looks).toBeLessThan(20 * 2 * many);
    const events = drain(backlog);
    expect(events.filter(({ type }) => type === "output")).toEqual([]);
    expect(events.filter((event) => "argumentsOmitted" in event)).toHaveLength(many / 2);
  });

  it("still finds what to drop after some was taken", () => {
    const backlog = new Backlog();
    for (let sequence = 1; sequence <= 1500; sequence++) backlog.push(output(sequence, 1));
    for (let taken = 0; taken < 1000; taken++) backlog.shift();
    for (let sequence = 1501; sequence <= 3000; sequence++) backlog.push(output(sequence, 1));
    const events = drain(backlog);
    expect(events).toHaveLength(1024);
    expect(events[0]).toMatchObject({ type: "trimmed", omittedBytes: 3000 - 1023 - 1476 });
  });
});
