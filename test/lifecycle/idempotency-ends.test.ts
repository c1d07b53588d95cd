import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { QuotaFailureSchema, RetryInfoSchema } from "../../gen/es/google/rpc/error_details_pb.ts";
import { setUpTenants as setUp } from "../support/attach-setup.ts";
import { failure } from "../support/client.ts";
import { startStream } from "../support/streams.ts";

const requestId = "r-1";
const printer = { code: "printer", requestId };

describe("a caller that leaves an execution that another has joined", () => {
  it.each([
    ["first", 0],
    ["second", 1],
  ])("does not end it, be it the %s", async (_title, leaving) => {
    await using t = await setUp();
    const killed = t.executor.untilKilled("printer");
    const streams = [startStream(t.acme, printer), startStream(t.acme, printer)];
    for (const stream of streams) await stream.until("started");
    streams[leaving]?.drop();
    await expect(streams[leaving]?.next()).rejects.toMatchObject({ code: Code.Canceled });
    await t.printer.print("goes on");
    const staying = streams[1 - leaving];
    expect(await staying?.until("output")).toMatchObject({ text: "goes on" });
    staying?.drop();
    expect(await killed).toMatchObject({ message: "the caller is gone" });
    expect(t.executor.started).toEqual(["printer"]);
  });

  it("does not end it while it waits for its slot", async () => {
    await using t = await setUp({ four: () => 4 }, { slots: 1 });
    const blocker = startStream(t.acme, { code: "forever" });
    await blocker.until("started");
    const request = { code: "four", requestId };
    const caller = new AbortController();
    const first = failure(t.acme.executor.execute({ request }, { signal: caller.signal }));
    const second = t.acme.executor.execute({ request });
    await vi.waitFor(() => expect(t.server.stats().streams).toBe(3));
    caller.abort();
    expect((await first).code).toBe(Code.Canceled);
    blocker.drop();
    expect((await second).execution?.outcome?.result).toMatchObject({
      value: { resultJson: "4" },
    });
  });

  it("by its deadline ends its own call only", async () => {
    await using t = await setUp();
    const first = startStream(t.acme, printer, { timeoutMs: 300 });
    const second = startStream(t.acme, printer);
    await first.until("started");
    await second.until("started");
    expect((await failure(first.next())).code).toBe(Code.DeadlineExceeded);
    t.printer.end(3);
    expect((await second.rest()).at(-1)).toMatchObject({ outcome: { value: { json: "3" } } });
  });
});

describe("an execution that never started", () => {
  it("frees its id when it is refused, for whatever comes next", async () => {
    await using t = await setUp({ four: () => 4 }, { slots: 1, queue_size: 0 });
    const blocker = startStream(t.acme, { code: "forever" });
    await blocker.until("started");
    const refused = await failure(t.acme.executor.execute({ request: printer }));
    expect(refused.code).toBe(Code.ResourceExhausted);
    blocker.drop();
    const request = { code: "four", requestId };
    await vi.waitFor(async () => {
      const { execution } = await t.acme.executor.execute({ request });
      expect(execution?.outcome?.result).toMatchObject({ value: { resultJson: "4" } });
    });
    expect(t.executor.started).toEqual(["forever", "four"]);
  });

  it("frees its id when no slot comes free in time, and tells all who joined", async () => {
    await using t = await setUp({}, { slots: 1, queue_timeout_ms: 100 });
    const blocker = startStream(t.acme, { code: "forever" });
    await blocker.until("started");
    const statuses = await Promise.all(
      [1, 2, 3].map(() => failure(t.acme.executor.execute({ request: printer }))),
    );
    for (const status of statuses) {
      expect(status).toMatchObject({
        code: Code.ResourceExhausted,
        rawMessage: "no slot came free in 100 ms",
      });
      expect(status.findDetails(RetryInfoSchema)).toHaveLength(1);
    }
    const key = { case: "requestId", value: requestId } as const;
    expect((await failure(t.acme.executor.getExecution({ key }))).code).toBe(Code.NotFound);
    blocker.drop();
  });

  it("frees its id when its caller cancels, and a retry right behind the cancel is run", async () => {
    await using t = await setUp({ four: () => 4 }, { slots: 1 });
    const blocker = startStream(t.acme, { code: "forever" });
    await blocker.until("started");
    const request = { code: "four", requestId };
    for (let time = 0; time < 20; time++) {
      const caller = new AbortController();
      const cancelled = failure(t.acme.executor.execute({ request }, { signal: caller.signal }));
      await vi.waitFor(() => expect(t.server.stats().queued).toBe(1));
      caller.abort();
      const again = new AbortController();
      // Both frames leave in one turn, so that the retry comes while the first is being ended.
      const retry = failure(t.acme.executor.execute({ request }, { signal: again.signal }));
      expect((await cancelled).code).toBe(Code.Canceled);
      await vi.waitFor(() => expect(t.server.stats()).toMatchObject({ queued: 1, streams: 2 }));
      again.abort();
      expect((await retry).code).toBe(Code.Canceled);
      await vi.waitFor(() => expect(t.server.stats().queued).toBe(0));
    }
    const answer = t.acme.executor.execute({ request });
    blocker.drop();
    expect((await answer).execution?.outcome?.result).toMatchObject({ value: { resultJson: "4" } });
    expect(t.executor.started).toEqual(["forever", "four"]);
  });
});

describe("an execution that was stopped while it ran", () => {
  it("is the answer to the same request for ever after, and is not run again", async () => {
    await using t = await setUp();
    const first = startStream(t.acme, printer);
    await first.until("started");
    await t.acme.executor.cancelExecution({ executionId: first.id() });
    const answer = await t.acme.executor.execute({ request: printer });
    expect(answer.execution).toMatchObject({
      executionId: first.id(),
      outcome: { result: { value: { message: "the caller cancelled the execution" } } },
    });
    expect(t.executor.started).toEqual(["printer"]);
  });
});

describe("the table of request ids", () => {
  it("refuses a new id when it is full, and serves the known ones and requests without", async () => {
    await using t = await setUp({ four: () => 4 }, { idempotency: { max_requests: 2 } });
    for (const id of ["r-1", "r-2"]) {
      await t.acme.executor.execute({ request: { code: "four", requestId: id } });
    }
    const request = { code: "four", requestId: "r-3" };
    const status = await failure(t.acme.executor.execute({ request }));
    expect(status.code).toBe(Code.ResourceExhausted);
    const [quota] = status.findDetails(QuotaFailureSchema);
    expect(quota?.violations[0]?.description).toBe("2 request ids remembered");
    const [retry] = status.findDetails(RetryInfoSchema);
    expect(retry?.retryDelay?.seconds).toBeGreaterThan(3_500n);
    await t.acme.executor.execute({ request: { code: "four", requestId: "r-2" } });
    await t.acme.executor.execute({ request: { code: "four" } });
    expect(t.executor.started).toEqual(["four", "four", "four"]);
  });

  it("knows an id for its time to live, and then runs the request anew", async () => {
    await using t = await setUp({ four: () => 4 }, { idempotency: { ttl_ms: 300 } });
    const request = { code: "four", requestId };
    const first = await t.acme.executor.execute({ request });
    await t.acme.executor.execute({ request });
    expect(t.executor.started).toEqual(["four"]);
    await vi.waitFor(async () => {
      const { execution } = await t.acme.executor.execute({ request });
      expect(execution?.executionId).not.toBe(first.execution?.executionId);
    });
    expect(t.executor.started).toEqual(["four", "four"]);
  });

  it("keeps every outcome for its time: refuses new ids when those are too large together", async () => {
    const settings = { retention: { tenant_bytes: 0 }, idempotency: { outcome_bytes: 2_000 } };
    await using t = await setUp({ much: () => "x".repeat(5_000), four: () => 4 }, settings);
    const request = { code: "much", requestId };
    const first = await t.acme.executor.execute({ request });
    // Its end is told before its outcome counts.
    await vi.waitFor(async () => {
      const status = await failure(
        t.acme.executor.execute({ request: { code: "four", requestId: "r-2" } }),
      );
      expect(status.code).toBe(Code.ResourceExhausted);
      const [quota] = status.findDetails(QuotaFailureSchema);
      expect(quota?.violations[0]).toMatchObject({
        subject: "tenant:acme",
        description: "2000 bytes of outcomes remembered",
      });
      const [retry] = status.findDetails(RetryInfoSchema);
      expect(retry?.retryDelay?.seconds).toBeGreaterThan(3_500n);
    });
    expect((await t.acme.executor.execute({ request })).execution).toEqual(first.execution);
    const other = { code: "four", requestId };
    const { execution } = await t.globex.executor.execute({ request: other });
    expect(execution?.outcome?.result).toMatchObject({ value: { resultJson: "4" } });
    await t.acme.executor.execute({ request: { code: "four" } });
    expect(t.executor.started).toEqual(["much", "four", "four"]);
  });
});
