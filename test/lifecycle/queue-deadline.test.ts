import { once } from "node:events";
import net from "node:net";
import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { ExecutionState, FailureReason } from "../../gen/es/codemode/v1/execution_pb.ts";
import type { Executor, GuestRun } from "../../src/executors/executor.ts";
import { Codemode } from "../../src/index.ts";
import { toDuration } from "../../src/shared/wire/time.ts";
import { setUpTenants } from "../support/attach-setup.ts";
import { connectClient, failure } from "../support/client.ts";
import { createScriptedExecutor, forever } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";
import { attachStream, startStream } from "../support/streams.ts";

const requestId = "r-1";
const correlationId = "the-one";
const keep = { keepWithoutReader: toDuration(60_000) };
const queued = { code: "four", requestId, correlationId, ...keep };
const patient = { timeout: 10_000 };

/** A server with one slot, which somebody holds. */
async function setUpFull() {
  const t = await setUpTenants({ four: () => 4 }, { slots: 1, queue_timeout_ms: 60_000 });
  const blocker = startStream(t.acme, { code: "forever" });
  await blocker.until("started");
  return {
    ...t,
    blocker,
    untilQueued: () => vi.waitFor(() => expect(t.server.stats().queued).toBe(1), patient),
    untilLeft: () => vi.waitFor(() => expect(t.server.stats().queued).toBe(0), patient),
    async only() {
      const { executions } = await t.acme.executor.listExecutions({ correlationId });
      expect(executions).toHaveLength(1);
      return executions[0];
    },
  };
}

const ended = {
  state: ExecutionState.FINISHED,
  outcome: {
    result: {
      value: {
        reason: FailureReason.CANCELLED,
        message: "the caller's deadline passed before the program started",
      },
    },
  },
};

describe("the deadline of a caller whose program waits for its slot", () => {
  it("ends it at once, however long it is to be kept, and frees its id", async () => {
    await using t = await setUpFull();
    const call = t.acme.executor.execute({ request: queued }, { timeoutMs: 200 });
    expect((await failure(call)).code).toBe(Code.DeadlineExceeded);
    await t.untilLeft();
    expect(await t.only()).toMatchObject(ended);
    const key = { case: "requestId", value: requestId } as const;
    expect((await failure(t.acme.executor.getExecution({ key }))).code).toBe(Code.NotFound);
    t.blocker.drop();
    const again = await t.acme.executor.execute({ request: { ...queued, code: "four" } });
    expect(again.execution?.outcome?.result).toMatchObject({ value: { resultJson: "4" } });
    expect(t.executor.started).toEqual(["forever", "four"]);
  });

  it("ends it through the SDK, which keeps programs for a while", async () => {
    await using t = await setUpFull();
    await using codemode = Codemode.connect({ url: t.server.url, apiKey: "acme-key" });
    const call = codemode.execute("four", { timeoutMs: 300, correlationId });
    await expect(call).rejects.toMatchObject({ kind: "deadline_exceeded" });
    await t.untilLeft();
    expect(await t.only()).toMatchObject(ended);
    t.blocker.drop();
    await vi.waitFor(() => expect(t.server.stats().inUse).toBe(0), patient);
    expect(t.executor.started).toEqual(["forever"]);
  });

  it("ends it also where its connection broke before", async () => {
    await using t = await setUpFull();
    const stream = startStream(t.acme, queued, { timeoutMs: 1_000 });
    const dropped = failure(stream.next());
    await t.untilQueued();
    stream.drop();
    expect((await dropped).code).toBe(Code.Canceled);
    expect(t.server.stats().queued).toBe(1);
    await t.untilLeft();
    expect(await t.only()).toMatchObject(ended);
    t.blocker.drop();
  });

  it("leaves it to a caller who joined it and has more time", async () => {
    await using t = await setUpFull();
    const first = t.acme.executor.execute({ request: queued }, { timeoutMs: 300 });
    await t.untilQueued();
    const second = t.acme.executor.execute({ request: queued });
    expect((await failure(first)).code).toBe(Code.DeadlineExceeded);
    t.blocker.drop();
    const { execution } = await second;
    expect(execution?.outcome?.result).toMatchObject({ value: { resultJson: "4" } });
    expect(t.executor.started).toEqual(["forever", "four"]);
  });

  it("ends it when the last watcher leaves, who asked for nothing", async () => {
    await using t = await setUpFull();
    const call = failure(t.acme.executor.execute({ request: queued }, { timeoutMs: 500 }));
    await t.untilQueued();
    const { executionId = "" } = (await t.only()) ?? {};
    const watcher = await attachStream(t.acme, { executionId });
    expect((await call).code).toBe(Code.DeadlineExceeded);
    await vi.waitFor(() => expect(t.server.stats().streams).toBe(2), patient);
    expect(t.server.stats().queued).toBe(1);
    const left = failure(watcher.next());
    watcher.drop();
    await left;
    await t.untilLeft();
    expect(await t.only()).toMatchObject(ended);
    t.blocker.drop();
  });
});

it.each([
  ["its guest", { code: "guestless" }],
  ["the list of its tool service", { code: "forever", toolServices: ["silent"] }],
])(
  "a caller's deadline ends an execution that waits for %s, however long it is kept",
  async (_, request) => {
    const scripted = createScriptedExecutor({ forever });
    const executor: Executor = {
      ...scripted,
      run(program, signal): GuestRun {
        if (program.code !== "guestless") return scripted.run(program, signal);
        const aborted = once(signal, "abort");
        return {
          deliver() {},
          // biome-ignore lint/correctness/useYield: there is never a guest
          async *[Symbol.asyncIterator]() {
            await aborted;
            throw signal.reason;
          },
        };
      },
    };
    const silent = net.createServer((socket) => void socket.on("error", () => {}));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const target = `127.0.0.1:${(silent.address() as net.AddressInfo).port}`;
    await using server = await startServer({
      executors: [executor],
      settings: { queue_timeout_ms: 60_000, tool_services: { silent: { target } } },
    });
    using client = connectClient(server.url);
    const all = { ...request, correlationId, ...keep };
    const call = client.executor.execute({ request: all }, { timeoutMs: 200 });
    expect((await failure(call)).code).toBe(Code.DeadlineExceeded);
    await vi.waitFor(async () => {
      const { executions } = await client.executor.listExecutions({ correlationId });
      expect(executions).toMatchObject([ended]);
      expect(server.stats().inUse).toBe(0);
    }, patient);
    expect(scripted.started).toEqual([]);
    silent.close();
  },
);
