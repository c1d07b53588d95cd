import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { Codemode } from "../../src/index.ts";
import { CodemodeError } from "../../src/shared/errors.ts";
import { toConnectError } from "../../src/shared/status.ts";
import { collect } from "../support/collect.ts";
import { createLog, executionId, failure, success } from "./support/messages.ts";
import { type Script, startScriptedService } from "./support/scripted-service.ts";
import { stable } from "./support/stable.ts";

type Stream = NonNullable<Script["executeStream"]>;

const hello: Stream = async function* () {
  const log = createLog("c-1");
  yield log.started();
  yield log.output("hello\n");
  yield log.output("oops\n", "stderr");
  yield log.finished(success("4"));
};

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error("nothing was thrown")),
    (error: unknown) => error,
  );

/** A service that writes megabytes and counts what it could get rid of. */
function flooding(mebibytes: number) {
  const written = { bytes: 0 };
  const text = "x".repeat(64 * 1024);
  const executeStream: Stream = async function* () {
    const log = createLog();
    yield log.started();
    for (let index = 0; index < mebibytes * 16; index++) {
      yield log.output(text);
      written.bytes += text.length;
    }
    yield log.finished(success("1"));
  };
  return { executeStream, written };
}

describe("stream", () => {
  it("yields typed events in order, to finished", async () => {
    await using service = await startScriptedService({ executeStream: hello });
    await using codemode = Codemode.connect({ url: service.url });
    const events = await collect(codemode.stream("print('hello')"));
    expect(events).toMatchObject([
      { type: "started", sequence: 1, executionId, engine: "scripted", isolationTier: "T2" },
      { type: "output", sequence: 2, channel: "stdout", text: "hello\n" },
      { type: "output", sequence: 3, channel: "stderr", text: "oops\n" },
      { type: "finished", sequence: 4, outcome: { status: "completed" } },
    ]);
  });

  it("gives the outcome without being iterated, the same as execute's result", async () => {
    await using service = await startScriptedService({ executeStream: hello });
    await using codemode = Codemode.connect({ url: service.url });
    expect(await codemode.stream("x").outcome).toMatchObject({
      status: "completed",
      value: 4,
      stdout: "hello\n",
      stderr: "oops\n",
      executionId,
      correlationId: "c-1",
      engine: "scripted",
      usage: { wallMs: 12 },
    });
  });

  it("checks the value of the outcome by a schema", async () => {
    await using service = await startScriptedService({ executeStream: hello });
    await using codemode = Codemode.connect({ url: service.url });
    expect(await codemode.stream("x", { output: z.number() }).outcome).toMatchObject({ value: 4 });
    expect(await codemode.stream("x", { output: z.string() }).outcome).toMatchObject({
      error: { reason: "invalid_output" },
    });
  });

  it("starts at once, gives its id, and loses no event to those who ask for it first", async () => {
    await using service = await startScriptedService({ executeStream: hello });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    expect(await execution.id).toBe(executionId);
    const outcome = execution.outcome;
    expect(await collect(execution)).toHaveLength(4);
    expect(await outcome).toMatchObject({ status: "completed" });
  });

  it("gives all events to a loop that begins after the outcome has come", async () => {
    await using service = await startScriptedService({ executeStream: hello });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    await execution.outcome;
    expect(await collect(execution)).toHaveLength(4);
    expect(await collect(execution)).toEqual([]);
  });

  it("gives the outcome inside the loop, and the loop goes on", async () => {
    await using service = await startScriptedService({ executeStream: hello });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    const types: string[] = [];
    for await (const event of execution) {
      types.push(event.type);
      expect(await execution.outcome).toMatchObject({ status: "completed" });
    }
    expect(types).toEqual(["started", "output", "output", "finished"]);
  });

  it("shares one iteration among those who iterate", async () => {
    await using service = await startScriptedService({ executeStream: hello });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    const both = await Promise.all([collect(execution), collect(execution)]);
    const sequences = both.flat().map(({ sequence }) => sequence);
    expect(sequences.sort()).toEqual([1, 2, 3, 4]);
  });

  it("yields events of a newer server as unknown", async () => {
    await using service = await startScriptedService({
      async *executeStream() {
        const log = createLog();
        yield log.started();
        yield log.unknown();
        yield log.finished(success("1"));
      },
    });
    await using codemode = Codemode.connect({ url: service.url });
    const events = await collect(codemode.stream("x"));
    expect(events[1]).toMatchObject({ type: "unknown", sequence: 2 });
    expect(events).toHaveLength(3);
  });

  it("makes the program wait for a slow loop, and loses nothing", async () => {
    const { executeStream, written } = flooding(32);
    await using service = await startScriptedService({ executeStream });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    const iterator = execution[Symbol.asyncIterator]();
    await iterator.next();
    await stable(() => written.bytes);
    expect(written.bytes).toBeLessThan(8 * 1024 * 1024);
    let bytes = 0;
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
      if (step.value.type === "output") bytes += step.value.text.length;
    }
    expect(bytes).toBe(32 * 1024 * 1024);
    const outcome = await execution.outcome;
    expect(outcome.stdout).toHaveLength(1024 * 1024);
    expect(outcome.stdoutOmittedBytes).toBe(31 * 1024 * 1024);
  });

  it("reads past any amount of output for the outcome alone, and keeps little of it", async () => {
    const { executeStream } = flooding(8);
    await using service = await startScriptedService({ executeStream });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    const outcome = await execution.outcome;
    expect(outcome).toMatchObject({ status: "completed", stdoutOmittedBytes: 7 * 1024 * 1024 });
    const events = await collect(execution);
    const types = new Set(events.map(({ type }) => type));
    expect([...types]).toEqual(["started", "trimmed", "output", "finished"]);
    expect(events[1]).toMatchObject({ firstSequence: 2, omittedBytes: 7 * 1024 * 1024 });
  });
});

describe("a stream that fails", () => {
  it("is execution_lost when it ends without finished", async () => {
    await using service = await startScriptedService({
      async *executeStream() {
        yield createLog().started();
      },
    });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x", { correlationId: "c-2" });
    const expected = {
      kind: "execution_lost",
      retryable: false,
      executionId,
      correlationId: "c-2",
    };
    expect(await rejection(collect(execution))).toMatchObject(expected);
    expect(await rejection(execution.outcome)).toMatchObject(expected);
    expect(await execution.id).toBe(executionId);
  });

  it("is execution_lost when the connection is cut, and runs once", async () => {
    let runs = 0;
    await using service = await startScriptedService({
      async *executeStream(_, { signal }) {
        runs += 1;
        yield createLog().started();
        await once(signal, "abort");
      },
    });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    await execution.id;
    service.disconnect();
    expect(await rejection(execution.outcome)).toMatchObject({
      kind: "execution_lost",
      executionId,
    });
    expect(runs).toBe(1);
  });

  it("yields what had arrived before it throws, and then is over", async () => {
    await using service = await startScriptedService({
      async *executeStream() {
        const log = createLog();
        yield log.started();
        yield log.output("half");
        throw toConnectError(new CodemodeError("execution_lost", "the worker died"));
      },
    });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    const iterator = execution[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: { type: "started" } });
    expect(await iterator.next()).toMatchObject({ value: { text: "half" } });
    expect(await rejection(iterator.next())).toMatchObject({ message: "the worker died" });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("brings a fault of the request out of the iteration, the id and the outcome", async () => {
    await using codemode = Codemode.connect({ url: "http://127.0.0.1:9" });
    const execution = codemode.stream("x", { context: { id: 2 ** 60 } });
    const expected = { kind: "invalid_request", violations: [{ field: "context.id" }] };
    expect(await rejection(execution.id)).toMatchObject(expected);
    expect(await rejection(execution.outcome)).toMatchObject(expected);
    expect(await rejection(collect(execution))).toMatchObject(expected);
  });

  it("is bounded by its deadline", async () => {
    await using service = await startScriptedService({
      async *executeStream(_, { signal }) {
        yield createLog().started();
        await once(signal, "abort");
      },
    });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x", { timeoutMs: 100 });
    expect(await rejection(execution.outcome)).toMatchObject({
      kind: "deadline_exceeded",
      executionId,
    });
  });

  it("never causes an unhandled rejection", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      await using codemode = Codemode.connect({ url: "http://127.0.0.1:9", retry: false });
      const execution = codemode.stream("x");
      await vi.waitFor(async () => {
        const state = await Promise.race([execution.outcome, "pending"]).catch(() => "rejected");
        expect(state).toBe("rejected");
      });
      const ignored = codemode.stream("x", { context: { id: Number.NaN } });
      expect(ignored).toBeDefined();
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });

  it("gives a failed program as a result, not as an error", async () => {
    await using service = await startScriptedService({
      async *executeStream() {
        const log = createLog();
        yield log.started();
        yield log.finished(failure("exception", "boom"));
      },
    });
    await using codemode = Codemode.connect({ url: service.url });
    expect(await codemode.stream("x").outcome).toMatchObject({
      status: "failed",
      error: { reason: "exception", message: "boom" },
    });
  });
});
