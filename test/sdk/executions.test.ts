import { describe, expect, it } from "vitest";
import { Codemode, type ExecutionSummary } from "../../src/index.ts";
import { forever } from "../support/scripted-executor.ts";
import { startCuttable } from "./support/cuttable.ts";

const scripts = { one: () => 1, forever };

async function collect(items: AsyncIterable<ExecutionSummary>): Promise<ExecutionSummary[]> {
  const all: ExecutionSummary[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("getExecution", () => {
  it("gives an execution as it stands, by its id and by its request's", async () => {
    await using test = await startCuttable(scripts);
    const execution = test.codemode.stream("forever", { requestId: "r-1", correlationId: "c-1" });
    const executionId = await execution.id;
    const running = { executionId, requestId: "r-1", correlationId: "c-1", state: "running" };
    expect(await test.codemode.getExecution(executionId)).toMatchObject({
      ...running,
      outcome: undefined,
      language: "python",
    });
    expect(await test.codemode.getExecution({ requestId: "r-1" })).toMatchObject(running);
    await execution.cancel();
    expect(await test.codemode.getExecution(executionId)).toMatchObject({
      state: "finished",
      outcome: { status: "failed", error: { reason: "cancelled" } },
    });
  });

  it("rejects for what is unknown, and for what is another tenant's", async () => {
    const api_keys = [
      { tenant: "acme", key: "a-key" },
      { tenant: "other", key: "b-key" },
    ];
    await using test = await startCuttable(scripts, { settings: { api_keys }, apiKey: "a-key" });
    await using other = Codemode.connect({ url: test.server.url, apiKey: "b-key" });
    const { executionId } = await test.codemode.execute("one");
    const expected = { kind: "not_found" };
    await expect(test.codemode.getExecution("nothing")).rejects.toMatchObject(expected);
    await expect(other.getExecution(executionId)).rejects.toMatchObject(expected);
    await expect(other.cancelExecution(executionId)).rejects.toMatchObject(expected);
    await expect(other.attach(executionId).outcome).rejects.toMatchObject(expected);
    expect(await collect(other.listExecutions())).toEqual([]);
    expect(await collect(test.codemode.listExecutions())).toHaveLength(1);
  });

  it("is tried again over a connection that was cut", async () => {
    await using test = await startCuttable(scripts);
    const { executionId } = await test.codemode.execute("one");
    test.proxy.cut();
    expect(await test.codemode.getExecution(executionId)).toMatchObject({ executionId });
  });
});

describe("listExecutions", () => {
  it("gives all pages, newest first, filtered", async () => {
    await using test = await startCuttable(scripts);
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) {
      const correlationId = `c-${index % 2}`;
      ids.unshift((await test.codemode.execute("one", { correlationId })).executionId);
    }
    const running = test.codemode.stream("forever");
    ids.unshift(await running.id);
    const idsOf = async (filter: Parameters<Codemode["listExecutions"]>[0]) =>
      (await collect(test.codemode.listExecutions(filter))).map(({ executionId }) => executionId);
    expect(await idsOf({ pageSize: 2 })).toEqual(ids);
    expect(await idsOf({})).toEqual(ids);
    expect(await idsOf({ state: "running" })).toEqual([ids[0]]);
    expect(await idsOf({ correlationId: "c-1" })).toEqual([ids[2], ids[4]]);
    await running.cancel();
  });

  it("throws out of the iteration", async () => {
    await using codemode = Codemode.connect({ url: "http://127.0.0.1:9", retry: false });
    const expected = { kind: "unavailable" };
    await expect(collect(codemode.listExecutions())).rejects.toMatchObject(expected);
    await expect(collect(codemode.listExecutions({ pageSize: 0 }))).rejects.toMatchObject({
      kind: "invalid_request",
      violations: [{ field: "pageSize" }],
    });
  });
});

describe("cancelExecution", () => {
  it("ends a program, and is without effect on one that has ended", async () => {
    await using test = await startCuttable(scripts);
    const execution = test.codemode.stream("forever");
    const executionId = await execution.id;
    const expected = { state: "finished", outcome: { error: { reason: "cancelled" } } };
    expect(await test.codemode.cancelExecution(executionId)).toMatchObject(expected);
    expect(await test.codemode.cancelExecution(executionId)).toMatchObject(expected);
    expect(await execution.outcome).toMatchObject({ error: { reason: "cancelled" } });
  });
});
