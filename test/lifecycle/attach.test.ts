import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { ToolPayloads } from "../../gen/es/codemode/v1/tool_pb.ts";
import { setUpTenants as setUp } from "../support/attach-setup.ts";
import { failure } from "../support/client.ts";
import type { Script } from "../support/scripted-executor.ts";
import { attachStream, shapeOf, startStream } from "../support/streams.ts";

const outOfRange = (rawMessage: string) => ({ code: Code.OutOfRange, rawMessage });

describe("attaching", () => {
  it("says first where the log stands, then gives what is kept and what comes", async () => {
    await using t = await setUp();
    const stream = startStream(t.acme, { code: "printer" });
    await t.printer.print("one");
    await stream.until("output");
    const watcher = await attachStream(t.acme, { executionId: stream.id() });
    expect(watcher.attached).toEqual({ lastSequence: 2, openCalls: [] });
    expect(shapeOf([await watcher.until("started"), await watcher.until("output")])).toEqual([
      "1 started",
      "2 output",
    ]);
    await t.printer.print("two");
    await t.printer.print("three");
    t.printer.end();
    expect(await watcher.rest()).toEqual(await stream.rest());
  });

  it("gives several watchers one dense log each, from wherever they begin", async () => {
    await using t = await setUp();
    const stream = startStream(t.acme, { code: "printer" });
    await stream.until("started");
    const watchers = [];
    for (let index = 0; index < 40; index++) {
      await t.printer.print(`${index}`);
      await stream.until("output");
      const executionId = stream.id();
      const afterSequence = BigInt(index);
      if (index % 4 === 0)
        watchers.push(await attachStream(t.acme, { executionId, afterSequence }));
    }
    const all = Promise.all(watchers.map((watcher) => watcher.rest()));
    t.printer.end();
    const whole = await stream.rest();
    expect(whole).toHaveLength(42);
    for (const [index, seen] of (await all).entries()) expect(seen).toEqual(whole.slice(index * 4));
  });

  it("gives an ended log to whoever comes, as often as wished", async () => {
    await using t = await setUp({ four: () => 4 });
    const stream = startStream(t.acme, { code: "four" });
    const whole = await stream.rest();
    for (let time = 0; time < 3; time++) {
      const again = await attachStream(t.acme, { executionId: stream.id() });
      expect(again.attached).toEqual({ lastSequence: 2, openCalls: [] });
      expect(await again.rest()).toEqual(whole);
    }
    const atEnd = await attachStream(t.acme, { executionId: stream.id(), afterSequence: 2n });
    expect(await atEnd.rest()).toEqual([]);
  });

  it("follows an execution that waits for its slot into its run", async () => {
    await using t = await setUp({}, { slots: 1 });
    const first = startStream(t.acme, { code: "forever" });
    await first.until("started");
    const stream = startStream(t.acme, { code: "printer", correlationId: "queued" });
    const whole = stream.rest();
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(1));
    const { executions } = await t.acme.executor.listExecutions({ correlationId: "queued" });
    const executionId = executions[0]?.executionId ?? "";
    const watcher = await attachStream(t.acme, { executionId });
    expect(watcher.attached.lastSequence).toBe(0);
    first.drop();
    await t.printer.print("runs");
    t.printer.end();
    expect(await watcher.rest()).toEqual(await whole);
  });

  it("to one that is then refused ends as its own call does", async () => {
    await using t = await setUp({}, { slots: 1, queue_timeout_ms: 1_000 });
    const first = startStream(t.acme, { code: "forever" });
    await first.until("started");
    const refused = failure(startStream(t.acme, { code: "printer", correlationId: "q" }).rest());
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(1));
    const { executions } = await t.acme.executor.listExecutions({ correlationId: "q" });
    const executionId = executions[0]?.executionId ?? "";
    const watcher = await attachStream(t.acme, { executionId });
    const told = failure(watcher.rest());
    expect((await refused).code).toBe(Code.ResourceExhausted);
    expect(await told).toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: "no slot came free in 1000 ms",
    });
    const gone = await failure(attachStream(t.acme, { executionId }));
    expect(gone.code).toBe(Code.NotFound);
    first.drop();
  });

  it("beyond the end is out of range, for a live and an ended log", async () => {
    await using t = await setUp();
    const stream = startStream(t.acme, { code: "printer" });
    await stream.until("started");
    const request = { executionId: stream.id(), afterSequence: 9n };
    expect(await failure(attachStream(t.acme, request))).toMatchObject(
      outOfRange("there is no event 9: the log ends at event 1"),
    );
    t.printer.end();
    await stream.rest();
    expect(await failure(attachStream(t.acme, request))).toMatchObject(
      outOfRange("there is no event 9: the log ends at event 2"),
    );
    const largest = { ...request, afterSequence: 2n ** 64n - 1n };
    expect((await failure(attachStream(t.acme, largest))).code).toBe(Code.OutOfRange);
  });

  it("to another tenant's execution is as to none: in every call, live or ended", async () => {
    await using t = await setUp({ four: () => 4 });
    const running = startStream(t.acme, { code: "forever" });
    await running.until("started");
    const ended = startStream(t.acme, { code: "four" });
    await ended.rest();
    const { executor } = t.globex;
    for (const executionId of ["none", running.id(), ended.id()]) {
      const key = { case: "executionId", value: executionId } as const;
      const result = { callId: "1", result: { case: "resultJson", value: "1" } } as const;
      const calls = [
        attachStream(t.globex, { executionId }),
        attachStream(t.globex, { executionId, answerTools: true, afterSequence: 1n }),
        executor.getExecution({ key }),
        executor.cancelExecution({ executionId }),
        executor.submitToolResult({ executionId, result }),
      ];
      for (const error of await Promise.all(calls.map((call) => failure(call)))) {
        expect(error).toMatchObject({ code: Code.NotFound, rawMessage: "no such execution" });
      }
    }
    expect(await executor.listExecutions({})).toMatchObject({ executions: [], nextPageToken: "" });
    running.drop();
  });

  it("leaves large tool payloads out of a view that asks for it", async () => {
    const large = JSON.stringify({ a: "x".repeat(70_000) });
    const calls: Script = ({ call }) => call("unknown", large);
    await using t = await setUp({ calls });
    const stream = startStream(t.acme, { code: "calls" });
    await stream.rest();
    const request = { executionId: stream.id(), payloads: ToolPayloads.SMALL };
    const small = await attachStream(t.acme, request);
    expect(await small.until("tool_call")).toMatchObject({
      argumentsJson: "",
      argumentsOmitted: true,
    });
  });
});

describe("a follower of a log that has lost output", () => {
  // More than the 4 MiB that are kept.
  const flood: Script = async ({ print, call }) => {
    for (let part = 0; part < 60; part++) await print("x".repeat(100_000));
    await call("weather", "{}");
  };
  const request = { code: "flood", tools: [{ name: "weather" }] };

  it("has marks where it begins at the start, and is refused where it had a place", async () => {
    await using t = await setUp({ flood });
    const stream = startStream(t.acme, request);
    await stream.until("tool_call");
    const executionId = stream.id();
    const fresh = await attachStream(t.acme, { executionId });
    await fresh.until("tool_call");
    const [started, mark, output] = fresh.seen;
    expect([started, mark]).toMatchObject([
      { type: "started", sequence: 1 },
      { type: "trimmed", firstSequence: 2 },
    ]);
    if (mark?.type !== "trimmed") throw new Error("no mark");
    expect(output?.sequence).toBe(mark.sequence + 1);
    const text = fresh.seen.reduce(
      (bytes, event) => bytes + (event.type === "output" ? event.text.length : 0),
      mark.omittedBytes,
    );
    expect(text).toBe(6_000_000);
    expect(await failure(attachStream(t.acme, { executionId, afterSequence: 2n }))).toMatchObject(
      outOfRange(
        `output after event 2 is no longer kept: the log goes on after event ${mark.sequence}`,
      ),
    );
    const afterSequence = BigInt(mark.sequence);
    const behindMark = await attachStream(t.acme, { executionId, afterSequence });
    expect(await behindMark.until("output")).toEqual(output);
    stream.drop();
  });
});
