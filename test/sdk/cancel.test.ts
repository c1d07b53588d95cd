import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { Codemode } from "../../src/index.ts";
import { createLog, executionId, failure, success } from "./support/messages.ts";
import { type Script, startScriptedService } from "./support/scripted-service.ts";

/** A service whose programs run until they are cancelled, and which remembers how that happened. */
async function startEndless(options: { deaf?: boolean } = {}) {
  const cancelled: string[] = [];
  const closed = Promise.withResolvers<void>();
  const stop = Promise.withResolvers<void>();
  const script: Script = {
    async *executeStream(_, { signal }) {
      signal.addEventListener("abort", () => closed.resolve());
      const log = createLog();
      yield log.started();
      yield log.output("tick\n");
      await Promise.race([stop.promise, once(signal, "abort")]);
      yield log.output("last words\n");
      yield log.finished(failure("cancelled", "cancelled by the caller"));
    },
    cancelExecution(request) {
      cancelled.push(request.executionId);
      if (options.deaf) return new Promise<never>(() => undefined);
      stop.resolve();
      return {};
    },
  };
  const service = await startScriptedService(script);
  return Object.assign(service, { cancelled, closed: closed.promise, stop: stop.resolve });
}

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error("nothing was thrown")),
    (error: unknown) => error,
  );

describe("leaving an execution", () => {
  it("cancels on the server on break, and the outcome is the server's own", async () => {
    await using service = await startEndless();
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("while True: pass");
    for await (const event of execution) if (event.type === "output") break;
    expect(service.cancelled).toEqual([executionId]);
    expect(await execution.outcome).toMatchObject({
      status: "failed",
      error: { reason: "cancelled", message: "cancelled by the caller" },
      stdout: "tick\nlast words\n",
      usage: { wallMs: 12 },
    });
    expect(await execution[Symbol.asyncIterator]().next()).toEqual({ done: true });
  });

  it("cancels on the server when the loop's body throws, and lets its error through", async () => {
    await using service = await startEndless();
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    const loop = async () => {
      for await (const event of execution) throw new Error(`no ${event.type}`);
    };
    await expect(loop()).rejects.toThrow("no started");
    expect(service.cancelled).toEqual([executionId]);
  });

  it("cancels on disposal, also again, also while it is read", async () => {
    await using service = await startEndless();
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    await execution.id;
    const types: string[] = [];
    const reading = (async () => {
      for await (const event of execution) types.push(event.type);
    })();
    await Promise.all([execution[Symbol.asyncDispose](), execution[Symbol.asyncDispose]()]);
    await execution[Symbol.asyncDispose]();
    await reading;
    expect(types.at(-1)).toBe("finished");
    expect(service.cancelled).toEqual([executionId]);
  });

  it("lets a loop see the end after cancel()", async () => {
    await using service = await startEndless();
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    const texts: string[] = [];
    for await (const event of execution) {
      if (event.type === "output") texts.push(event.text);
      if (texts.length === 1) void execution.cancel();
    }
    expect(texts).toEqual(["tick\n", "last words\n"]);
    expect(await execution.outcome).toMatchObject({ error: { reason: "cancelled" } });
  });

  it("does nothing after the end", async () => {
    let cancels = 0;
    await using service = await startScriptedService({
      async *executeStream() {
        const log = createLog();
        yield log.started();
        yield log.finished(success("1"));
      },
      cancelExecution() {
        cancels += 1;
        return {};
      },
    });
    await using codemode = Codemode.connect({ url: service.url });
    {
      await using execution = codemode.stream("x");
      await execution.outcome;
    }
    const execution = codemode.stream("x");
    await execution.outcome;
    await execution.cancel();
    expect(await execution.outcome).toMatchObject({ status: "completed" });
    expect(cancels).toBe(0);
  });

  it("closes the stream of an execution that has not started, and gives `cancelled`", async () => {
    const arrived = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    await using service = await startScriptedService({
      // biome-ignore lint/correctness/useYield: it waits for a slot that never comes.
      async *executeStream(_, { signal }) {
        arrived.resolve();
        await once(signal, "abort");
        closed.resolve();
      },
    });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x", { correlationId: "c-1" });
    await arrived.promise;
    await execution.cancel();
    expect(await execution.outcome).toMatchObject({
      status: "failed",
      error: { reason: "cancelled" },
      executionId: "",
      correlationId: "c-1",
    });
    expect(await rejection(execution.id)).toMatchObject({ kind: "cancelled" });
    await closed.promise;
  });

  it("does not wait long for a service that does not answer", async () => {
    await using service = await startEndless({ deaf: true });
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    for await (const event of execution) if (event.type === "output") break;
    expect(await execution.outcome).toMatchObject({
      status: "failed",
      error: { reason: "cancelled", message: "the execution was cancelled" },
      stdout: "tick\n",
      engine: "scripted",
    });
    await service.closed;
  });
});

describe("the signal of a stream", () => {
  it("ends iteration and outcome at once with its reason, and cancels on the server", async () => {
    await using service = await startEndless({ deaf: true });
    const codemode = Codemode.connect({ url: service.url });
    const controller = new AbortController();
    const execution = codemode.stream("x", { signal: controller.signal });
    const iterator = execution[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    const pending = rejection(iterator.next());
    const reason = new Error("the user left");
    controller.abort(reason);
    const expected = { kind: "cancelled", cause: reason, executionId };
    expect(await pending).toMatchObject(expected);
    expect(await rejection(execution.outcome)).toMatchObject(expected);
    expect(await iterator.next()).toEqual({ done: true });
    await codemode.close();
    expect(service.cancelled).toEqual([executionId]);
    await service.closed;
  });

  it("keeps a stream from starting when it has aborted before", async () => {
    await using service = await startEndless();
    await using codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x", { signal: AbortSignal.abort("early") });
    const expected = { kind: "cancelled", cause: "early" };
    expect(await rejection(execution.outcome)).toMatchObject(expected);
    expect(await rejection(execution.id)).toMatchObject(expected);
    await execution[Symbol.asyncDispose]();
    expect(service.connections).toBe(0);
  });

  it("means nothing after the end", async () => {
    await using service = await startScriptedService({
      async *executeStream() {
        const log = createLog();
        yield log.started();
        yield log.finished(success("1"));
      },
    });
    await using codemode = Codemode.connect({ url: service.url });
    const controller = new AbortController();
    const execution = codemode.stream("x", { signal: controller.signal });
    await execution.outcome;
    controller.abort();
    expect(await execution.outcome).toMatchObject({ status: "completed" });
  });
});

describe("closing a client", () => {
  it("cancels what runs, is idempotent, and refuses what comes later", async () => {
    await using service = await startEndless();
    const codemode = Codemode.connect({ url: service.url });
    const execution = codemode.stream("x");
    await execution.id;
    await Promise.all([codemode.close(), codemode.close()]);
    await codemode[Symbol.asyncDispose]();
    expect(service.cancelled).toEqual([executionId]);
    expect(await execution.outcome).toMatchObject({ error: { reason: "cancelled" } });
    const expected = { kind: "cancelled", message: "the client is closed" };
    expect(await rejection(codemode.execute("x"))).toMatchObject(expected);
    expect(await rejection(codemode.stream("x").outcome)).toMatchObject(expected);
    expect(await rejection(codemode.serverInfo())).toMatchObject(expected);
    expect(await rejection(codemode.with({ a: 1 }).execute("x"))).toMatchObject(expected);
    expect(service.connections).toBe(1);
  });

  it("gives up unary calls", async () => {
    const arrived = Promise.withResolvers<void>();
    await using service = await startScriptedService({
      execute(_, { signal }) {
        arrived.resolve();
        return once(signal, "abort").then(() => ({}));
      },
    });
    const codemode = Codemode.connect({ url: service.url });
    const failed = rejection(codemode.execute("x"));
    await arrived.promise;
    await codemode.close();
    expect(await failed).toMatchObject({ kind: "cancelled", message: "the client was closed" });
  });

  it("is nothing to a client that was never used", async () => {
    const codemode = Codemode.connect({ url: "http://127.0.0.1:9" });
    await codemode.close();
    await codemode.close();
  });

  it("of a bound client ends its own calls and leaves the connection open", async () => {
    await using service = await startEndless();
    await using codemode = Codemode.connect({ url: service.url });
    const mine = codemode.stream("x");
    await mine.id;
    let outcome: Promise<unknown>;
    {
      await using acme = codemode.with({ client_id: "acme" });
      const theirs = acme.stream("x");
      await theirs.id;
      outcome = theirs.outcome;
    }
    expect(await outcome).toMatchObject({ error: { reason: "cancelled" } });
    expect(service.cancelled).toHaveLength(1);
    expect(await mine.id).toBe(executionId);
    expect(await codemode.stream("x").id).toBe(executionId);
    expect(service.connections).toBe(1);
  });
});
