import { Code, type ConnectError } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { QuotaFailureSchema, RetryInfoSchema } from "../../gen/es/google/rpc/error_details_pb.ts";
import { sleep } from "../../src/shared/abort.ts";
import { fromDuration, toDuration } from "../../src/shared/wire/time.ts";
import { setUpTenants as setUp } from "../support/attach-setup.ts";
import { connectClient, failure } from "../support/client.ts";
import type { Script } from "../support/scripted-executor.ts";
import { startStream } from "../support/streams.ts";

const four = { four: () => 4 };
const quotaOf = (status: ConnectError) =>
  status
    .findDetails(QuotaFailureSchema)
    .flatMap(({ violations }) =>
      violations.map(({ subject, description }) => `${subject}: ${description}`),
    );
const retryAfterMs = (status: ConnectError) =>
  fromDuration(status.findDetails(RetryInfoSchema)[0]?.retryDelay) ?? Number.NaN;

describe("a tenant's executions in a minute", () => {
  it("are refused beyond its rate, with the time of the next, and then admitted", async () => {
    await using t = await setUp(four, { tenant_executions_per_minute: 300 });
    const run = () => t.acme.executor.execute({ request: { code: "four" } });
    const statuses: ConnectError[] = [];
    for (let count = 0; statuses.length === 0 && count < 400; count++) {
      await run().catch((error: ConnectError) => statuses.push(error));
    }
    const [status] = statuses;
    if (status === undefined) throw new Error("nothing was refused");
    expect(status.code).toBe(Code.ResourceExhausted);
    expect(quotaOf(status)).toEqual(["tenant:acme: 300 executions a minute"]);
    expect(retryAfterMs(status)).toBeGreaterThan(0);
    expect(retryAfterMs(status)).toBeLessThanOrEqual(200);
    expect(t.executor.started.length).toBeGreaterThanOrEqual(300);
    // What the server says is true.
    await sleep(retryAfterMs(status));
    await run();
    await t.globex.executor.execute({ request: { code: "four" } });
  });

  it("are those that it starts: neither refused ones nor one that is asked for again", async () => {
    const settings = { slots: 1, queue_size: 0, tenant_executions_per_minute: 3 };
    await using t = await setUp(four, settings);
    const blocker = startStream(t.acme, { code: "forever" });
    await blocker.until("started");
    for (let time = 0; time < 5; time++) {
      const status = await failure(t.acme.executor.execute({ request: { code: "four" } }));
      expect(quotaOf(status)).toEqual(["tenant:acme: 1 executions at once"]);
    }
    blocker.drop();
    await vi.waitFor(() => expect(t.server.stats().inUse).toBe(0));
    const request = { code: "four", requestId: "r-1" };
    for (let time = 0; time < 5; time++) await t.acme.executor.execute({ request });
    await vi.waitFor(() => expect(t.server.stats().inUse).toBe(0));
    await t.acme.executor.execute({ request: { code: "four" } });
    await vi.waitFor(() => expect(t.server.stats().inUse).toBe(0));
    const status = await failure(t.acme.executor.execute({ request: { code: "four" } }));
    expect(quotaOf(status)).toEqual(["tenant:acme: 3 executions a minute"]);
  });
});

describe("a tenant's part of the queue", () => {
  it("bounds what waits, and leaves the rest of the queue to others", async () => {
    await using t = await setUp(four, { slots: 1, queue_size: 8, tenant_queue_size: 2 });
    const blocker = startStream(t.acme, { code: "forever" });
    await blocker.until("started");
    const run = (client = t.acme) => client.executor.execute({ request: { code: "four" } });
    const waiting = [run(), run()];
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(2));
    const status = await failure(run());
    expect(status.code).toBe(Code.ResourceExhausted);
    expect(quotaOf(status)).toEqual(["tenant:acme: 2 executions waiting"]);
    expect(retryAfterMs(status)).toBeGreaterThanOrEqual(50);
    waiting.push(run(t.globex), run(t.globex));
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(4));
    blocker.drop();
    for (const answer of await Promise.all(waiting)) {
      expect(answer.execution?.outcome?.result.case).toBe("success");
    }
  });
});

describe("the logs of a tenant's running executions", () => {
  const chatty: Script = async ({ print, signal }) => {
    for (let count = 0; count < 10; count++) await print("x".repeat(2_000));
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  };

  it("keep it from starting more above their quota, until they end", async () => {
    await using t = await setUp({ ...four, chatty }, { tenant_log_bytes: 10_000 });
    const stream = startStream(t.acme, { code: "chatty", keepWithoutReader: toDuration(60_000) });
    let length = 0;
    while (length < 20_000) length += (await stream.until("output")).text.length;
    const run = (client = t.acme) => client.executor.execute({ request: { code: "four" } });
    const status = await failure(run());
    expect(status.code).toBe(Code.ResourceExhausted);
    expect(quotaOf(status)).toEqual(["tenant:acme: 10000 bytes in the logs of running executions"]);
    expect(retryAfterMs(status)).toBe(1_000);
    await run(t.globex);
    await t.acme.executor.cancelExecution({ executionId: stream.id() });
    await run();
  });
});

describe("a flood", () => {
  it("of one tenant leaves slots for another, whose programs run at once", async () => {
    await using t = await setUp(four, { slots: 30, queue_size: 20 });
    const flood = Array.from({ length: 100 }, () => {
      const stream = startStream(t.acme, { code: "forever" });
      // Some are refused: they are too many.
      stream.rest().catch(() => {});
      return stream;
    });
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(20));
    const { inUse } = t.server.stats();
    expect(inUse).toBe(27);
    for (let time = 0; time < 5; time++) {
      const { execution } = await t.globex.executor.execute({ request: { code: "four" } });
      expect(execution?.outcome?.result.case).toBe("success");
    }
    for (const stream of flood) stream.drop();
  });

  it("of refused requests leaves nothing behind", async () => {
    await using t = await setUp(four, { slots: 1, queue_size: 1, tenant_slots: 1 });
    using other = connectClient(t.server.url, "acme-key");
    const blocker = startStream(t.acme, { code: "forever" });
    await blocker.until("started");
    const waiting = startStream(t.acme, { code: "forever" });
    const waits = failure(waiting.next());
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(1));
    for (let round = 0; round < 10; round++) {
      const statuses = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          failure(other.executor.execute({ request: { code: "four", requestId: `r-${index}` } })),
        ),
      );
      for (const { code } of statuses) expect(code).toBe(Code.ResourceExhausted);
    }
    await vi.waitFor(() =>
      expect(t.server.stats()).toMatchObject({ inUse: 1, queued: 1, streams: 2 }),
    );
    const { executions } = await t.acme.executor.listExecutions({});
    expect(executions).toHaveLength(2);
    waiting.drop();
    await waits;
    blocker.drop();
    expect(t.executor.started).toEqual(["forever"]);
  });
});
