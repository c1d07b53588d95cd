import { describe, expect, it } from "vitest";
import { checkPlace, follow } from "../../../src/execution/follow.ts";
import { createMemoryStore } from "../../../src/execution/memory-store.ts";
import type { ExecutionStore } from "../../../src/execution/store.ts";
import { finished, openLog, output, take } from "../../support/logs.ts";

const never = new AbortController().signal;

describe("a follower", () => {
  it("does not miss an end that is written while it looks", async () => {
    const memory = createMemoryStore();
    let onRead: (() => Promise<void>) | undefined;
    const store: ExecutionStore = {
      ...memory,
      async read(...args) {
        const page = await memory.read(...args);
        const between = onRead;
        onRead = undefined;
        await between?.();
        return page;
      },
    };
    const log = await openLog({ store });
    await log.append(output("a"));
    const reader = log.follow(1, never);
    onRead = () => log.append(finished);
    expect((await reader.next()).value).toMatchObject({ type: "finished" });
  });

  it("waits for a log that is not open yet", async () => {
    const memory = createMemoryStore();
    const gate = Promise.withResolvers<void>();
    const store: ExecutionStore = {
      ...memory,
      async open(executionId) {
        await gate.promise;
        return memory.open(executionId);
      },
    };
    const opening = openLog({ store });
    gate.resolve();
    const log = await opening;
    const next = log.follow(0, never).next();
    await log.append(output("a"));
    expect((await next).value).toMatchObject({ text: "a" });
  });

  it("of a log that failed and is gone gets the failure", async () => {
    const store = createMemoryStore();
    const log = await openLog({ store });
    const waiting = log.follow(0, never).next();
    const refused = new Error("no slot");
    log.end(refused);
    await store.delete("e");
    await expect(waiting).rejects.toBe(refused);
    await expect(log.follow(0, never).next()).rejects.toBe(refused);
    await expect(log.checkPlace(0, never)).rejects.toBe(refused);
  });

  it("of an ended log that is dropped under it is told so", async () => {
    const store = createMemoryStore();
    const log = await openLog({ store });
    for (let index = 0; index < 100; index++) await log.append(output("a"));
    await log.append(finished);
    const place = { store, executionId: "e", afterSequence: 0 };
    const reader = follow(place, never);
    await take(reader, 10);
    await store.delete("e");
    // What it holds already it still gets.
    await take(reader, 54);
    await expect(reader.next()).rejects.toMatchObject({
      kind: "out_of_range",
      message: "events after 64 are no longer kept: nothing is left of the log",
    });
    await expect(checkPlace(place)).rejects.toMatchObject({ kind: "out_of_range" });
  });

  it("holds little of a log that it does not read on", async () => {
    const store = createMemoryStore({ keptOutputBytes: 2 ** 30 });
    const log = await openLog({ store });
    for (let index = 0; index < 20; index++) await log.append(output("x".repeat(100_000)));
    await log.append(finished);
    const reader = follow({ store, executionId: "e", afterSequence: 0 }, never);
    await take(reader, 1);
    await store.delete("e");
    // The one it stands at, and what fits beside it into 256 KiB.
    await take(reader, 1);
    await expect(reader.next()).rejects.toMatchObject({ kind: "out_of_range" });
  });

  it("is not given a mark that tells of events which it has seen", async () => {
    const log = await openLog({ store: createMemoryStore({ keptOutputBytes: 400_000 }) });
    for (let index = 0; index < 3; index++) await log.append(output("x".repeat(100_000)));
    const reader = log.follow(0, never);
    await take(reader, 2);
    for (let index = 0; index < 5; index++) await log.append(output("x".repeat(100_000)));
    await expect(reader.next()).rejects.toMatchObject({
      kind: "out_of_range",
      message: "output after event 2 is no longer kept: the log goes on after event 5",
    });
  });
});

describe("the size of a log", () => {
  it("is what the store holds, trimmed output left out, and is told as it changes", async () => {
    let told = 0;
    const log = await openLog({
      store: createMemoryStore({ keptOutputBytes: 5_000 }),
      onGrowth: (bytes) => {
        told += bytes;
      },
    });
    await log.append(output("é".repeat(500)));
    expect(log.bytes).toBe(1_256);
    for (let index = 0; index < 10; index++) await log.append(output("x".repeat(1_000)));
    // Three whole outputs, and a mark.
    expect(log.bytes).toBe(3 * 1_256 + 256);
    const argumentsJson = `"${"x".repeat(998)}"`;
    const call = { callId: "1", callKey: "/1", tool: "ab", argumentsJson };
    await log.append({ type: "tool_call", ...call });
    await log.append({ type: "tool_result", callId: "1", resultJson: "[1]" });
    const error = { kind: "exception", type: "", message: "four" } as const;
    await log.append({ type: "tool_result", callId: "2", error });
    expect(log.bytes).toBe(4_024 + (256 + 1_004) + (256 + 3) + (256 + 4));
    expect(told).toBe(log.bytes);
  });
});
