import { describe, expect, it, vi } from "vitest";
import { Codemode, type ExecutionSummary } from "../../src/index.ts";
import { CodemodeError, type ErrorKind } from "../../src/shared/errors.ts";
import { toConnectError } from "../../src/shared/status.ts";
import { collect } from "../support/collect.ts";
import { forever, type Script } from "../support/scripted-executor.ts";
import { createGate, quick, startCuttable } from "./support/cuttable.ts";
import { deadUrl } from "./support/dead-url.ts";
import { answer, success } from "./support/messages.ts";
import { startScriptedService } from "./support/scripted-service.ts";

const one: Script = () => 1;

describe("a list of urls", () => {
  it("is gone through while nobody is there, within one attempt", async () => {
    await using test = await startCuttable({ one });
    const url = [await deadUrl(), await deadUrl(), test.server.url];
    await using codemode = Codemode.connect({ url, retry: false });
    expect(await codemode.execute("one")).toMatchObject({ value: 1 });
    expect(await codemode.stream("one").outcome).toMatchObject({ value: 1 });
    expect(await codemode.serverInfo()).toMatchObject({
      instanceId: test.server.info().instanceId,
    });
  });

  it("is used from the first; after it failed, from the one that took its place", async () => {
    await using first = await startCuttable({ one });
    await using second = await startCuttable({ one });
    const url = [first.proxy.url, second.proxy.url];
    await using codemode = Codemode.connect({ url, retry: quick });
    await codemode.execute("one");
    await codemode.execute("one");
    expect(first.executor.started).toHaveLength(2);
    const listenAgain = first.proxy.refuse();
    first.proxy.cut();
    await vi.waitFor(async () => expect(await instanceOf(codemode)).not.toBe(idOf(first)));
    await codemode.execute("one");
    await listenAgain();
    await codemode.execute("one");
    expect(second.executor.started).toHaveLength(2);
    expect(first.executor.started).toHaveLength(2);
  });

  it.each<[ErrorKind]>([["overloaded"], ["unavailable"]])(
    "is gone on with after the first one's %s, without a wait",
    async (kind) => {
      let tries = 0;
      await using busy = await startScriptedService({
        execute() {
          tries += 1;
          throw toConnectError(new CodemodeError(kind, "not now", { retryAfterMs: 30_000 }));
        },
      });
      await using free = await startScriptedService({ execute: () => answer(success("1")) });
      await using codemode = Codemode.connect({ url: [busy.url, free.url], retry: false });
      expect(await codemode.execute("x")).toMatchObject({ value: 1 });
      expect(tries).toBe(1);
    },
  );

  it("is gone on with when the first refuses the HTTP/2 stream", async () => {
    let refused = 0;
    await using draining = await startScriptedService(
      {},
      {
        intercept(stream) {
          refused += 1;
          stream.on("error", () => undefined);
          stream.close(7);
          return true;
        },
      },
    );
    await using free = await startScriptedService({ execute: () => answer(success("1")) });
    await using codemode = Codemode.connect({ url: [draining.url, free.url], retry: false });
    expect(await codemode.execute("x")).toMatchObject({ value: 1 });
    expect(refused).toBe(1);
  });

  it("fails with the last one's error when all of them failed, as often as the policy says", async () => {
    const tries = [0, 0];
    const busyAt = (index: number) =>
      startScriptedService({
        execute() {
          tries[index] = (tries[index] ?? 0) + 1;
          throw toConnectError(new CodemodeError("overloaded", `${index} is full`));
        },
      });
    await using first = await busyAt(0);
    await using second = await busyAt(1);
    const url = [first.url, second.url];
    await using codemode = Codemode.connect({ url, retry: { ...quick, maxAttempts: 3 } });
    await expect(codemode.execute("x")).rejects.toMatchObject({
      kind: "overloaded",
      message: "1 is full",
    });
    expect(tries).toEqual([3, 3]);
  });

  it("keeps an execution where it began, also over a lost connection", async () => {
    const gate = createGate();
    const waiting: Script = () => gate.opened.then(() => "done");
    await using first = await startCuttable({ waiting });
    await using second = await startCuttable({ waiting });
    const url = [first.proxy.url, second.proxy.url];
    await using codemode = Codemode.connect({ url, retry: quick });
    const execution = codemode.stream("waiting");
    await execution.id;
    first.proxy.cut();
    gate.open();
    expect(await execution.outcome).toMatchObject({ value: "done" });
    expect(second.executor.started).toEqual([]);
  });

  it("does not send a request elsewhere whose fate is unknown", async () => {
    await using first = await startCuttable({ one, forever });
    await using second = await startCuttable({ one, forever });
    const url = [first.proxy.url, second.proxy.url];
    await using codemode = Codemode.connect({ url, retry: quick });
    await codemode.execute("one");
    const started = first.executor.untilStarted("forever");
    const stalled = first.proxy.stall({ answersOnly: true });
    const result = codemode.execute("forever", { timeoutMs: 500 });
    const failed = expect(result).rejects.toMatchObject({ kind: "deadline_exceeded" });
    await started;
    const listenAgain = first.proxy.refuse();
    first.proxy.cut();
    await failed;
    expect(second.executor.started).toEqual([]);
    stalled[Symbol.dispose]();
    await listenAgain();
    const [left] = await collect(codemode.listExecutions({ state: "running" }));
    await codemode.cancelExecution(left?.executionId ?? "");
  });

  it("does not send a request elsewhere that did not arrive, but may still", async () => {
    await using first = await startCuttable({ one });
    await using second = await startCuttable({ one });
    const url = [first.proxy.url, second.proxy.url];
    await using codemode = Codemode.connect({ url, retry: quick });
    await codemode.execute("one");
    const stalled = first.proxy.stall();
    const result = codemode.execute("one");
    await vi.waitFor(() => expect(first.proxy.waiting).toBeGreaterThan(0));
    first.proxy.cut();
    stalled[Symbol.dispose]();
    expect(await result).toMatchObject({ value: 1 });
    expect(first.executor.started).toEqual(["one", "one"]);
    expect(second.executor.started).toEqual([]);
  });

  it("is looked through for an execution, and listed as one", async () => {
    await using first = await startCuttable({ one, forever });
    await using second = await startCuttable({ one, forever });
    const urls = [first.server.url, second.server.url];
    await using atSecond = Codemode.connect({ url: urls[1] ?? "" });
    const { executionId } = await atSecond.execute("one", { requestId: "r-1" });
    await using codemode = Codemode.connect({ url: [await deadUrl(), ...urls], retry: quick });
    await codemode.execute("one");
    const theirs: Partial<ExecutionSummary> = { executionId, instanceId: idOf(second) };
    expect(await codemode.getExecution(executionId)).toMatchObject(theirs);
    expect(await codemode.getExecution({ requestId: "r-1" })).toMatchObject(theirs);
    expect(await codemode.attach(executionId).outcome).toMatchObject({ value: 1 });
    const running = atSecond.stream("forever");
    await codemode.cancelExecution(await running.id);
    expect(await running.outcome).toMatchObject({ error: { reason: "cancelled" } });
    await using both = Codemode.connect({ url: [...urls, ...urls] });
    const listed = await collect(both.listExecutions({ pageSize: 1 }));
    expect(listed.map(({ instanceId }) => instanceId)).toEqual([
      idOf(second),
      idOf(first),
      idOf(second),
    ]);
    // Whether the one that cannot be asked knows it is not known.
    await expect(codemode.getExecution("nothing")).rejects.toMatchObject({ kind: "unavailable" });
    await expect(both.getExecution("nothing")).rejects.toMatchObject({ kind: "not_found" });
  });
});

type Service = Awaited<ReturnType<typeof startCuttable>>;

const idOf = ({ server }: Service) => server.info().instanceId;

async function instanceOf(codemode: Codemode): Promise<string> {
  return (await codemode.serverInfo()).instanceId;
}
