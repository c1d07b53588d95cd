import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { FramePort } from "../../../src/sandbox/frame-port.ts";
import { frameTypes, toFrame } from "../../../src/sandbox/frame-types.ts";
import type { GuestFrame, GuestProgram } from "../../../src/sandbox/sandbox.ts";

const program: GuestProgram = {
  text: "{}",
  seed: 0n,
  memoryBytes: 0,
  wallMs: 0,
  activeMs: 0,
  threads: 1,
  outputBytes: 2 ** 20,
  resultBytes: 2 ** 20,
  toolPayloadBytes: 2 ** 20,
};
const output = (type: number, text: string) => toFrame(type, [Buffer.from(text)]);
const call = (seq: number) =>
  toFrame(frameTypes.toolCall, [Buffer.from(`{"seq":${seq},"key":"0/${seq}","tool":"x"}\n{}`)]);
const result = toFrame(frameTypes.result, [
  Buffer.from('{"status":"completed","text":"1","type":"int","hasJson":true}\n1'),
]);

/** A port whose reader counts what it gets in each turn of the loop. */
function open() {
  const said: string[] = [];
  const faults: Error[] = [];
  const port = new FramePort({
    link: {
      write: () => {},
      pause: () => said.push("pause"),
      resume: () => said.push("resume"),
      close: () => {},
    },
    onFault: (fault) => faults.push(fault),
  });
  port.start(program);
  const frames: GuestFrame[] = [];
  const read = (async () => {
    for await (const frame of port.frames) frames.push(frame);
  })();
  return { port, frames, read, said, faults };
}

describe("a guest's frames", () => {
  it.each([
    [
      "output that changes its channel with each byte",
      Array.from({ length: 3_000 }, (_, n) =>
        output(n % 2 === 0 ? frameTypes.stdout : frameTypes.stderr, "x"),
      ),
    ],
    ["tiny tool calls", Array.from({ length: 3_000 }, (_, n) => call(n + 1))],
  ])(
    "become a bounded number of events in each turn, and none is lost: %s",
    async (_title, made) => {
      const { port, frames, read, said } = open();
      port.receive(Buffer.concat([...made, result]));
      port.end();
      let most = 0;
      let before = 0;
      while (frames.at(-1)?.type !== "result") {
        await nextTurn();
        most = Math.max(most, frames.length - before);
        before = frames.length;
      }
      await read;
      expect(frames).toHaveLength(3_001);
      expect(most).toBeLessThanOrEqual(64); // two of the port's turns may lie between two looks
      expect(said).toEqual(["pause", "resume"]);
    },
  );

  it("of one channel become one event, however many they are", async () => {
    const { port, frames, read, said } = open();
    const lines = Array.from({ length: 3_000 }, (_, n) => output(frameTypes.stdout, `${n}\n`));
    port.receive(Buffer.concat(lines));
    port.end();
    await read;
    expect(frames).toHaveLength(1);
    expect(said).toEqual([]);
  });

  it("that come while others wait keep their order", async () => {
    const { port, frames, read } = open();
    for (let n = 0; n < 200; n++) {
      port.receive(output(n % 2 === 0 ? frameTypes.stdout : frameTypes.stderr, String(n)));
    }
    const many = Array.from({ length: 200 }, (_, n) => call(n + 1));
    port.receive(Buffer.concat(many));
    port.receive(result);
    port.end();
    await read;
    const calls = frames.flatMap((frame) => (frame.type === "tool_call" ? [frame.call] : []));
    expect(calls).toEqual(many.map((_, n) => n + 1));
    expect(frames.at(-1)?.type).toBe("result");
  });

  it("are not read any more once the port is closed", async () => {
    const { port, frames, read, faults } = open();
    port.receive(Buffer.concat(Array.from({ length: 500 }, (_, n) => call(n + 1))));
    port.close();
    await read;
    await nextTurn();
    expect(frames.length).toBeLessThan(100);
    expect(faults).toEqual([]);
  });
});
