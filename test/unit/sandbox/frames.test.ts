import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { FrameFault, FrameReader } from "../../../src/sandbox/frames.ts";

const caps = { resultBytes: 1_000, toolPayloadBytes: 1_000 };
const frame = (type: number, payload: string) => {
  const header = Buffer.alloc(5);
  header.writeUInt32LE(Buffer.byteLength(payload), 0);
  header.writeUInt8(type, 4);
  return Buffer.concat([header, Buffer.from(payload)]);
};
/** The frames that a piece completes. */
function read(reader: FrameReader, piece: Buffer) {
  const frames: [number, string][] = [];
  reader.feed(piece);
  for (let frame = reader.next(); frame !== undefined; frame = reader.next())
    frames.push([frame.type, frame.payload.toString()]);
  return frames;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("a frame reader", () => {
  const stream = Buffer.concat([
    frame(2, "hello"),
    frame(3, ""),
    frame(2, "é".repeat(100)),
    frame(3, "x"),
  ]);
  const whole = [
    [2, "hello"],
    [3, ""],
    [2, "é".repeat(100)],
    [3, "x"],
  ];

  it.each([1, 2, 3, 5, 7, 64, 1_000])("gives the same frames of pieces of %i bytes", (size) => {
    const reader = new FrameReader(() => caps);
    const frames: unknown[] = [];
    for (let start = 0; start < stream.length; start += size) {
      frames.push(...read(reader, stream.subarray(start, start + size)));
    }
    expect(frames).toEqual(whole);
  });

  it("holds a frame that comes byte by byte in one buffer, not in one for each byte", () => {
    const reader = new FrameReader(() => caps);
    read(reader, frame(2, "x".repeat(60_000)).subarray(0, 5));
    const before = heldBytes();
    for (let byte = 0; byte < 50_000; byte++) read(reader, Buffer.allocUnsafeSlow(1));
    expect(heldBytes() - before).toBeLessThan(1_000_000);
    expect(read(reader, Buffer.alloc(10_000))).toHaveLength(1);
  });

  it.each([
    [99, 0, "unknown type 99"],
    [2, 64 * 1024 + 1, "at most 65536"],
  ])("refuses type %i of %i bytes before the payload is there", (type, length, message) => {
    const header = frame(type, "");
    header.writeUInt32LE(length, 0);
    const reader = new FrameReader(() => caps);
    expect(() => read(reader, header)).toThrow(FrameFault);
    expect(() => read(new FrameReader(() => caps), header)).toThrow(message);
  });
});
