import { once } from "node:events";
import http2 from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { AttachExecutionRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { QuotaFailureSchema, RetryInfoSchema } from "../../gen/es/google/rpc/error_details_pb.ts";
import { toDuration } from "../../src/shared/wire/time.ts";
import { setUpTenants as setUp } from "../support/attach-setup.ts";
import { envelope, failure } from "../support/client.ts";
import { attachStream, startStream } from "../support/streams.ts";

/** A reader that attaches and reads nothing (Connect's client reads ahead), until it is let go on. */
async function attachUnread(url: string, executionId: string, answerTools = false) {
  const session = http2.connect(url);
  const stream = session.request({
    ":method": "POST",
    ":path": "/codemode.v1.ExecutorService/AttachExecution",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: "Bearer acme-key",
  });
  const request = create(AttachExecutionRequestSchema, { executionId, answerTools });
  stream.end(envelope(toBinary(AttachExecutionRequestSchema, request)));
  await once(stream, "response");
  return {
    /** Reads to the end; resolves with the trailers and the number of bytes. */
    async rest() {
      let bytes = 0;
      stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      const [trailers] = (await once(stream, "trailers")) as [http2.IncomingHttpHeaders];
      return { trailers, bytes };
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}

const part = "x".repeat(100_000);
const keptBytes = 4 * 1024 * 1024;

describe("a follower that does not read", () => {
  it("slows neither guest nor caller, holds no memory, and is told what is left", async () => {
    await using t = await setUp();
    const stream = startStream(t.acme, { code: "printer" });
    await stream.until("started");
    using slow = await attachUnread(t.server.url, stream.id());
    const rest = stream.rest();
    for (let count = 0; count < 300; count++) {
      await t.printer.print(part);
      expect(t.server.stats().runningLogBytes).toBeLessThan(keptBytes + 10_000);
    }
    t.printer.end();
    const whole = await rest;
    expect(whole.at(-1)).toMatchObject({ type: "finished", sequence: 302 });
    const { trailers, bytes } = await slow.rest();
    expect(trailers["grpc-status"]).toBe(String(Code.OutOfRange));
    expect(decodeURIComponent(String(trailers["grpc-message"]))).toMatch(
      /^output after event \d+ is no longer kept: the log goes on after event \d+$/,
    );
    expect(bytes).toBeLessThan(2_000_000);
  });

  it("is told so when nothing of the log is left", async () => {
    await using t = await setUp({}, { retention: { ended_for_ms: 1 } });
    const stream = startStream(t.acme, { code: "printer" });
    await stream.until("started");
    using slow = await attachUnread(t.server.url, stream.id());
    for (let count = 0; count < 20; count++) {
      await t.printer.print(part);
      await stream.until("output");
    }
    t.printer.end();
    await stream.rest();
    await vi.waitFor(() => expect(t.server.stats().known).toBe(0));
    const { trailers, bytes } = await slow.rest();
    // Dropped a while after the end, so that whoever is near the end still gets it.
    expect([trailers["grpc-status"], bytes > 2_000_000]).toEqual(["0", true]);
  });
});

describe("a reader that takes the place of the caller", () => {
  it("loses nothing by reading slowly: it slows the guest, as the caller did", async () => {
    await using t = await setUp();
    const keep = { keepWithoutReader: toDuration(60_000) };
    const stream = startStream(t.acme, { code: "printer", ...keep });
    await stream.until("started");
    stream.drop();
    // Most of what is kept, before anybody comes back.
    for (let count = 0; count < 35; count++) await t.printer.print(part);
    using slow = await attachUnread(t.server.url, stream.id(), true);
    let printed = 35;
    const printing = (async () => {
      for (; printed < 300; printed++) await t.printer.print(part);
    })();
    await vi.waitFor(async () => {
      const before = printed;
      await new Promise((resolve) => setImmediate(resolve));
      expect(printed).toBe(before);
    });
    expect(printed).toBeLessThan(60);
    const rest = slow.rest();
    await printing;
    t.printer.end();
    const { trailers, bytes } = await rest;
    expect(trailers["grpc-status"]).toBe("0");
    expect(bytes).toBeGreaterThan(300 * part.length);
  });

  it("frees the guest of a caller that is there and does not read, which then follows", async () => {
    await using t = await setUp();
    const stream = startStream(t.acme, { code: "printer" });
    await stream.until("started");
    using stuck = await attachUnread(t.server.url, stream.id(), true);
    let printed = 0;
    const printing = (async () => {
      for (; printed < 200; printed++) await t.printer.print(part);
    })();
    await vi.waitFor(async () => {
      const before = printed;
      await new Promise((resolve) => setImmediate(resolve));
      expect(printed).toBe(before);
    });
    expect(printed).toBeLessThan(60);
    const next = await attachStream(t.acme, { executionId: stream.id(), answerTools: true });
    const rest = next.rest();
    await printing;
    t.printer.end();
    const seen = await rest;
    expect(seen.filter(({ type }) => type === "output")).toHaveLength(200);
    expect(seen.some(({ type }) => type === "trimmed")).toBe(false);
    expect((await stuck.rest()).trailers["grpc-status"]).toBe(String(Code.OutOfRange));
    stream.drop();
  });
});

describe("followers", () => {
  it("are bounded for each execution, and one that leaves makes room", async () => {
    await using t = await setUp({}, { execution_followers: 2 });
    const stream = startStream(t.acme, { code: "forever" });
    await stream.until("started");
    const request = { executionId: stream.id() };
    const first = await attachStream(t.acme, request);
    const second = await attachStream(t.acme, request);
    const refused = await failure(attachStream(t.acme, request));
    expect(refused).toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: "the execution has too many followers",
    });
    expect(refused.findDetails(QuotaFailureSchema)).toMatchObject([
      { violations: [{ description: "2 followers of one execution" }] },
    ]);
    expect(refused.findDetails(RetryInfoSchema)).toHaveLength(1);
    first.drop();
    await vi.waitFor(() => expect(t.server.stats().followers).toBe(1));
    const third = await attachStream(t.acme, request);
    for (const each of [second, third, stream]) each.drop();
  });

  it("are bounded for each tenant, over running and ended executions", async () => {
    await using t = await setUp({ four: () => 4 }, { tenant_followers: 2 });
    const stream = startStream(t.acme, { code: "forever" });
    const other = startStream(t.globex, { code: "forever" });
    const ended = startStream(t.acme, { code: "four" });
    await Promise.all([stream.until("started"), other.until("started"), ended.rest()]);
    const held = [
      await attachStream(t.acme, { executionId: stream.id() }),
      await attachStream(t.acme, { executionId: stream.id() }),
    ];
    const refused = await failure(attachStream(t.acme, { executionId: ended.id() }));
    expect(refused).toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: "the tenant has too many followers",
    });
    held.push(await attachStream(t.globex, { executionId: other.id() }));
    for (const each of [...held, stream, other]) each.drop();
  });
});
