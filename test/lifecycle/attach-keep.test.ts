import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { ExecutionState } from "../../gen/es/codemode/v1/execution_pb.ts";
import { toDuration } from "../../src/shared/wire/time.ts";
import { setUpTenants as setUp } from "../support/attach-setup.ts";
import { failure } from "../support/client.ts";
import type { LogLine, TestServer } from "../support/server.ts";
import { attachStream, shapeOf, startStream } from "../support/streams.ts";

const keep = (ms: number) => ({ keepWithoutReader: toDuration(ms) });
const wall = (ms: number) => ({ limits: { wallTimeout: toDuration(ms) } });

/** Waits until the call of a stream is over on the server, too: its log line is the last thing of it. */
async function untilOver({ log }: TestServer) {
  const isCall = ({ msg, method }: LogLine) => msg === "call" && /Stream$/.test(String(method));
  await vi.waitFor(() => expect(log.some(isCall)).toBe(true));
}

describe("keep_without_reader", () => {
  it("of nothing cancels a program whose stream drops, at once", async () => {
    await using t = await setUp();
    const killed = t.executor.untilKilled("forever");
    const stream = startStream(t.acme, { code: "forever" });
    await stream.until("started");
    stream.drop();
    expect(await killed).toMatchObject({ reason: "cancelled", message: "the caller is gone" });
  });

  it("of a time abandons a program to which no reader comes back in it", async () => {
    await using t = await setUp();
    const killed = t.executor.untilKilled("forever");
    const stream = startStream(t.acme, { code: "forever", ...keep(200) });
    await stream.until("started");
    const droppedAt = performance.now();
    stream.drop();
    expect(await killed).toMatchObject({
      reason: "abandoned",
      message: "no reader came back within 200 ms",
    });
    expect(performance.now() - droppedAt).toBeGreaterThan(190);
    const again = await attachStream(t.acme, { executionId: stream.id() });
    expect(await again.rest()).toMatchObject([
      { type: "started" },
      { type: "finished", outcome: { error: { reason: "abandoned" } } },
    ]);
  });

  it("of a time is over when a reader comes back, and begins again when it leaves", async () => {
    await using t = await setUp();
    const killed = t.executor.untilKilled("printer");
    const stream = startStream(t.acme, { code: "printer", ...keep(200) });
    await t.printer.print("one");
    await stream.until("output");
    stream.drop();
    await t.printer.print("two");
    const again = await attachStream(t.acme, { executionId: stream.id(), afterSequence: 2n });
    expect(await again.until("output")).toMatchObject({ sequence: 3, text: "two" });
    await t.printer.print("three");
    expect(await again.until("output")).toMatchObject({ sequence: 4, text: "three" });
    again.drop();
    expect(await killed).toMatchObject({ reason: "abandoned" });
  });

  it("as long as the wall limit keeps a program to its end, and its log for whoever comes", async () => {
    await using t = await setUp();
    const stream = startStream(t.acme, { code: "printer", ...keep(60_000), ...wall(60_000) });
    await stream.until("started");
    stream.drop();
    await untilOver(t.server);
    await t.printer.print("alone");
    t.printer.end(7);
    await vi.waitFor(() => expect(t.executor.alive).toBe(0));
    const again = await attachStream(t.acme, { executionId: stream.id(), afterSequence: 1n });
    expect(await again.rest()).toMatchObject([
      { sequence: 2, text: "alone" },
      { sequence: 3, type: "finished", outcome: { status: "completed", value: { json: "7" } } },
    ]);
  });

  it("as long as the wall limit ends with the wall limit", async () => {
    await using t = await setUp();
    const killed = t.executor.untilKilled("forever");
    const stream = startStream(t.acme, { code: "forever", ...keep(150), ...wall(150) });
    await stream.until("started");
    stream.drop();
    expect(await killed).toMatchObject({ reason: "timeout" });
  });

  it("holds for Execute, whose call is a reader", async () => {
    await using t = await setUp();
    const started = t.executor.untilStarted("printer");
    const caller = new AbortController();
    const request = { code: "printer", correlationId: "unary", ...keep(60_000) };
    const answer = failure(t.acme.executor.execute({ request }, { signal: caller.signal }));
    await started;
    caller.abort();
    expect((await answer).code).toBe(Code.Canceled);
    const { executions } = await t.acme.executor.listExecutions({ correlationId: "unary" });
    expect(executions).toMatchObject([{ state: ExecutionState.RUNNING }]);
    t.printer.end("kept");
    const executionId = executions[0]?.executionId ?? "";
    const again = await attachStream(t.acme, { executionId });
    expect((await again.rest()).at(-1)).toMatchObject({ outcome: { value: { json: '"kept"' } } });
  });

  it("holds while a program waits for its slot", async () => {
    await using t = await setUp({}, { slots: 1 });
    const first = startStream(t.acme, { code: "forever" });
    await first.until("started");
    const request = { code: "forever", correlationId: "waits", ...keep(50) };
    const waiting = startStream(t.acme, request);
    const ended = failure(waiting.next());
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(1));
    waiting.drop();
    expect((await ended).code).toBe(Code.Canceled);
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(0));
    const { executions } = await t.acme.executor.listExecutions({ correlationId: "waits" });
    expect(executions).toMatchObject([
      {
        state: ExecutionState.FINISHED,
        outcome: { result: { value: { message: /within 50 ms/ } } },
      },
    ]);
    first.drop();
  });

  it("leaves a program to its other readers, and follows the last one", async () => {
    await using t = await setUp();
    const killed = t.executor.untilKilled("printer");
    const stream = startStream(t.acme, { code: "printer" });
    await stream.until("started");
    const watchers = await Promise.all(
      [1, 2].map(() => attachStream(t.acme, { executionId: stream.id() })),
    );
    stream.drop();
    await t.printer.print("for the watchers");
    for (const watcher of watchers) {
      expect(await watcher.until("output")).toMatchObject({ text: "for the watchers" });
    }
    watchers[0]?.drop();
    await t.printer.print("for the last");
    await watchers[1]?.until("output");
    watchers[1]?.drop();
    expect(await killed).toMatchObject({ reason: "cancelled" });
  });

  it("is not begun by the deadline of a watcher, which ends only its own call", async () => {
    await using t = await setUp();
    const stream = startStream(t.acme, { code: "printer" });
    await stream.until("started");
    const request = { executionId: stream.id() };
    const watcher = await attachStream(t.acme, request, { timeoutMs: 100 });
    await watcher.until("started");
    expect((await failure(watcher.next())).code).toBe(Code.DeadlineExceeded);
    // The client's own clock may be the first.
    await vi.waitFor(() => expect(t.server.stats().followers).toBe(0));
    await t.printer.print("still here");
    t.printer.end();
    expect(shapeOf(await stream.rest())).toEqual(["1 started", "2 output", "3 finished"]);
  });

  it("begins with the deadline of the caller, whose program goes on", async () => {
    await using t = await setUp();
    const stream = startStream(t.acme, { code: "printer", ...keep(60_000) }, { timeoutMs: 100 });
    await stream.until("started");
    expect((await failure(stream.rest())).code).toBe(Code.DeadlineExceeded);
    await untilOver(t.server);
    t.printer.end("its own end");
    const again = await attachStream(t.acme, { executionId: stream.id(), afterSequence: 1n });
    expect(await again.rest()).toMatchObject([
      { type: "finished", outcome: { status: "completed", value: { json: '"its own end"' } } },
    ]);
  });
});
