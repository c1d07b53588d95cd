import { describe, expect, it } from "vitest";
import { Outbox } from "../../src/sandbox/quickjs/engine/outbox.ts";
import { RunControl } from "../../src/sandbox/quickjs/engine/run-control.ts";
import { Stop } from "../../src/shared/stop.ts";
import { collect } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

const language = "javascript";
const manyBytes = 2 ** 30;

function startOutbox() {
  const control = new RunControl();
  control.give(manyBytes);
  const posts: Uint8Array[] = [];
  const outbox = new Outbox({
    control,
    outputBytes: manyBytes,
    post: (bytes) => posts.push(bytes),
  });
  return { outbox, posts };
}

/** Frames of a stream: type and length of each. */
function framesOf(posts: readonly Uint8Array[]): [type: number, bytes: number][] {
  const stream = Buffer.concat(posts);
  const frames: [number, number][] = [];
  for (let at = 0; at < stream.length; at += 5 + stream.readUInt32LE(at)) {
    frames.push([stream.readUInt8(at + 4), stream.readUInt32LE(at)]);
  }
  return frames;
}

// Each message costs the engine's one main thread more than it costs the program.
describe("what a program says in tiny pieces", () => {
  const count = 20_000;

  it("leaves its thread in few messages when it changes channels all the time", () => {
    const { outbox, posts } = startOutbox();
    const letter = Buffer.from("x");
    for (let n = 0; n < count; n++) outbox.write(1 + (n % 2), letter);
    outbox.flush();
    expect(posts.length).toBeLessThan(count / 20);
    const expected = Array.from({ length: count }, (_, n) => [2 + (n % 2), 1]);
    expect(framesOf(posts)).toEqual(expected);
  });

  it("leaves its thread in few messages when it is calls, each in its place among output", () => {
    const { outbox, posts } = startOutbox();
    for (let seq = 1; seq <= count; seq++) {
      outbox.write(1, Buffer.from("x"));
      outbox.call({ seq, key: "1:1/a/0", tool: "t" }, Buffer.from("{}"));
    }
    outbox.result({ status: "completed" });
    expect(posts.length).toBeLessThan(count / 20);
    const types = framesOf(posts).map(([type]) => type);
    const expected = Array.from({ length: count }, () => [2, 5]).flat();
    expect(types).toEqual([...expected, 4]);
  });

  it("leaves at once when nothing has been said for a while", () => {
    const { outbox, posts } = startOutbox();
    outbox.call({ seq: 1, key: "1:1/a/0", tool: "t" }, Buffer.from("{}"));
    expect(posts.length).toBe(1);
  });
});

describe("a program of more text than any other", () => {
  it("does not end the engine process, nor another's program", async () => {
    const warnings: string[] = [];
    await using executor = await startQuickjs({ onWarning: (text) => warnings.push(text) });
    const started = Promise.withResolvers<void>();
    const controller = new AbortController();
    const other = collect(
      executor,
      "await new Promise((resolve) => setTimeout(resolve, 3_600_000));",
      {
        language,
        group: "other",
        signal: controller.signal,
        onEvent: () => started.resolve(),
      },
    );
    await started.promise;
    // As JSON six bytes for each.
    const context = { text: "\u0001".repeat(12 * 1024 * 1024) };
    const limits = { memoryBytes: 64 * 1024 * 1024 };
    const { result } = await collect(executor, "1", { language, context, limits });
    expect(result).toMatchObject({ error: { reason: "memory" } });
    const { result: after } = await collect(executor, "2 + 2", { language });
    expect(after).toMatchObject({ value: { json: "4" } });
    controller.abort(new Stop("cancelled", "enough"));
    expect((await other).result).toMatchObject({ error: { reason: "cancelled" } });
    expect(warnings).toEqual([]);
  });
});
