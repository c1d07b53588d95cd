import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { ExecutionState } from "../../gen/es/codemode/v1/execution_pb.ts";
import { QuotaFailureSchema } from "../../gen/es/google/rpc/error_details_pb.ts";
import type { Executor } from "../../src/executors/executor.ts";
import { setUpTenants as setUp } from "../support/attach-setup.ts";
import { connectClient, failure, type TestClient } from "../support/client.ts";
import { createScriptedExecutor, type Script } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";
import { attachStream, startStream } from "../support/streams.ts";

const MiB = 1024 * 1024;
// Its argument says how many bytes its result has.
const sized: Script = ({ program }) => "x".repeat(Number(program.context.bytes ?? 0));

async function run({ executor }: TestClient, bytes = 0, correlationId = ""): Promise<string> {
  const request = { code: "sized", context: { bytes }, correlationId };
  const { execution } = await executor.execute({ request });
  return execution?.executionId ?? "";
}

const get = ({ executor }: TestClient, value: string) =>
  executor.getExecution({ key: { case: "executionId", value } });

async function isKept(client: TestClient, executionId: string): Promise<boolean> {
  const code = await get(client, executionId).then(
    () => undefined,
    (error: { code: Code }) => error.code,
  );
  if (code !== undefined) expect(code).toBe(Code.NotFound);
  return code === undefined;
}

describe("GetExecution", () => {
  it("gives an execution as it stands: waiting, running, ended", async () => {
    await using t = await setUp({ sized }, { slots: 1 });
    const running = startStream(t.acme, { code: "printer" });
    await running.until("started");
    expect((await get(t.acme, running.id())).execution).toMatchObject({
      state: ExecutionState.RUNNING,
      executionId: running.id(),
      language: "python",
    });
    const queued = run(t.acme, 3, "later");
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(1));
    const list = await t.acme.executor.listExecutions({ state: ExecutionState.QUEUED });
    expect(list.executions).toMatchObject([{ correlationId: "later" }]);
    expect(list.executions[0]?.startTime).toBeUndefined();
    t.printer.end(5);
    const executionId = await queued;
    const { execution } = await get(t.acme, executionId);
    expect(execution).toMatchObject({
      state: ExecutionState.FINISHED,
      outcome: {
        result: { case: "success", value: { resultJson: '"xxx"' } },
        usage: { toolCalls: 0 },
      },
    });
    expect(execution?.endTime).toBeDefined();
    await running.rest();
    expect((await get(t.acme, running.id())).execution?.outcome?.result).toMatchObject({
      value: { resultJson: "5" },
    });
  });

  it("without a key is a bad request, of an unknown request is not found", async () => {
    await using t = await setUp();
    expect(await failure(t.acme.executor.getExecution({}))).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: "key is required: execution_id or request_id",
    });
    const key = { case: "requestId", value: "none" } as const;
    expect((await failure(t.acme.executor.getExecution({ key }))).code).toBe(Code.NotFound);
  });

  it("says that an execution was lost, as does every reader of its log", async () => {
    const executor: Executor = {
      ...createScriptedExecutor({}),
      run: () => ({
        deliver() {},
        async *[Symbol.asyncIterator]() {
          yield { type: "started" } as const;
          throw new Error("EPIPE");
        },
      }),
    };
    await using server = await startServer({ executors: [executor] });
    using client = connectClient(server.url);
    const stream = startStream(client, { code: "x" });
    await stream.until("started");
    const lost = { code: Code.Aborted, rawMessage: "the execution was lost after it had started" };
    expect(await failure(stream.rest())).toMatchObject(lost);
    await vi.waitFor(() => expect(server.stats().inUse).toBe(0));
    expect(await failure(get(client, stream.id()))).toMatchObject(lost);
    const again = await attachStream(client, { executionId: stream.id() });
    await again.until("started");
    expect(await failure(again.rest())).toMatchObject(lost);
  });
});

describe("ListExecutions", () => {
  it("pages newest first, without gap or repetition while others come and go", async () => {
    await using t = await setUp({ sized });
    const ids: string[] = [];
    for (let index = 0; index < 25; index++) ids.unshift(await run(t.acme));
    await run(t.globex);
    const pages: string[][] = [];
    let pageToken = "";
    do {
      const page = await t.acme.executor.listExecutions({ pageSize: 10, pageToken });
      pages.push(page.executions.map(({ executionId }) => executionId));
      pageToken = page.nextPageToken;
      await run(t.acme);
    } while (pageToken !== "");
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(pages.flat()).toEqual(ids);
  });

  it("lets through a state and a correlation id", async () => {
    await using t = await setUp({ sized });
    const [a, b] = [await run(t.acme, 0, "a"), await run(t.acme, 0, "b")];
    const running = startStream(t.acme, { code: "forever", correlationId: "a" });
    await running.until("started");
    const list = async (request: object) =>
      (await t.acme.executor.listExecutions(request)).executions.map((each) => each.executionId);
    expect(await list({})).toEqual([running.id(), b, a]);
    expect(await list({ correlationId: "a" })).toEqual([running.id(), a]);
    expect(await list({ state: ExecutionState.FINISHED })).toEqual([b, a]);
    expect(await list({ state: ExecutionState.RUNNING, correlationId: "b" })).toEqual([]);
    running.drop();
  });

  it("gives pages that every client can receive, whatever the results", async () => {
    await using t = await setUp({ sized });
    for (let index = 0; index < 5; index++) await run(t.acme, 0.9 * MiB);
    let count = 0;
    let pageToken = "";
    do {
      const page = await t.acme.executor.listExecutions({ pageToken });
      expect(page.executions.length).toBeGreaterThan(0);
      expect(page.executions.length).toBeLessThan(3);
      count += page.executions.length;
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(count).toBe(5);
  });

  it.each([
    ["a token that it did not give", { pageToken: "abc" }, "page_token is not one of this list"],
    ["a state that is none", { state: 77 as never }, "state is 77, which is none"],
  ])("refuses %s", async (_what, request, text) => {
    await using t = await setUp();
    expect(await failure(t.acme.executor.listExecutions(request))).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: text,
    });
  });
});

describe("an ended log", () => {
  it("is kept for its time", async () => {
    await using t = await setUp({ sized }, { retention: { ended_for_ms: 300 } });
    const executionId = await run(t.acme);
    const endedAt = performance.now();
    expect(await isKept(t.acme, executionId)).toBe(true);
    await vi.waitFor(async () => expect(await isKept(t.acme, executionId)).toBe(false));
    expect(performance.now() - endedAt).toBeGreaterThan(250);
    expect((await failure(attachStream(t.acme, { executionId }))).code).toBe(Code.NotFound);
    expect(t.server.stats()).toMatchObject({ known: 0, endedLogBytes: 0 });
  });

  it("makes room for newer ones of its tenant, and for no other's", async () => {
    await using t = await setUp({ sized }, { retention: { tenant_bytes: MiB } });
    const other = await run(t.globex, 0.4 * MiB);
    const ids: string[] = [];
    for (let index = 0; index < 4; index++) ids.push(await run(t.acme, 0.2 * MiB));
    // The text of a result is kept beside its JSON.
    await vi.waitFor(async () =>
      expect(await Promise.all(ids.map((id) => isKept(t.acme, id)))).toEqual([
        false,
        false,
        true,
        true,
      ]),
    );
    expect(await isKept(t.globex, other)).toBe(true);
  });

  it("makes room for newer ones of any tenant", async () => {
    const retention = { tenant_bytes: MiB, total_bytes: MiB };
    await using t = await setUp({ sized }, { retention });
    const first = await run(t.globex, 0.2 * MiB);
    const ids = [await run(t.acme, 0.2 * MiB), await run(t.acme, 0.2 * MiB)];
    await vi.waitFor(async () => expect(await isKept(t.globex, first)).toBe(false));
    expect(await Promise.all(ids.map((id) => isKept(t.acme, id)))).toEqual([true, true]);
    expect(t.server.stats().endedLogBytes).toBeLessThanOrEqual(MiB);
  });

  it("that is too large to be kept is read to its end by those who were there", async () => {
    await using t = await setUp({}, { retention: { tenant_bytes: 4 * 1024 } });
    const stream = startStream(t.acme, { code: "printer" });
    await stream.until("started");
    const executionId = stream.id();
    const watcher = await attachStream(t.acme, { executionId });
    await t.printer.print("x".repeat(100_000));
    t.printer.end();
    const whole = await stream.rest();
    await vi.waitFor(async () => expect(await isKept(t.acme, executionId)).toBe(false));
    expect(await watcher.rest()).toEqual(whole);
  });

  it("makes room when as many executions are known as may be; those that run do not", async () => {
    await using t = await setUp({ sized }, { retention: { max_executions: 2 } });
    const ended = await run(t.acme);
    const first = startStream(t.acme, { code: "forever" });
    await first.until("started");
    const second = startStream(t.acme, { code: "forever" });
    await second.until("started");
    expect(await isKept(t.acme, ended)).toBe(false);
    const refused = await failure(run(t.acme));
    expect(refused).toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: "too many executions are known",
    });
    expect(refused.findDetails(QuotaFailureSchema)).toMatchObject([
      { violations: [{ subject: "service", description: "2 executions known at once" }] },
    ]);
    first.drop();
    second.drop();
  });
});
