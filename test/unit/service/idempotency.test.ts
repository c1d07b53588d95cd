import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../../../src/execution/memory-store.ts";
import type { Call } from "../../../src/service/call.ts";
import { createIdempotency } from "../../../src/service/idempotency.ts";
import { IdempotencyTable } from "../../../src/service/idempotency-table.ts";
import { eventsOf, never, playing, type Setup, setUpExecutions } from "../../support/executions.ts";
import { requestOf, roomyTable } from "../../support/requests.ts";

function setUp(setup: Setup = {}) {
  const base = setUpExecutions(setup);
  const table = new IdempotencyTable(roomyTable);
  const idempotency = createIdempotency({ executions: base.executions, table });
  const callOf = () => {
    const trailers = new Map<string, string>();
    let commits = 0;
    const call: Call = {
      tenant: "acme",
      correlationId: "c-1",
      commit: async () => {
        commits += 1;
      },
      setTrailer: (name, value) => trailers.set(name, value),
    };
    return { call, trailers, commits: () => commits };
  };
  const start = (code: string, requestId: string, signal = never, { call } = callOf()) =>
    idempotency.start(requestOf(code, { requestId }), call, { signal, answersTools: false });
  return { ...base, table, idempotency, callOf, start };
}

const lostKeeping = { retention: { endedForMs: 60_000, tenantBytes: 0, totalBytes: 0 } };

describe("createIdempotency", () => {
  it("leaves requests without an id alone", async () => {
    await using t = setUp({ scripts: { four: () => 4 } });
    for (let time = 0; time < 2; time++) {
      await using reader = await t.start("four", "");
      await eventsOf(reader);
    }
    expect(t.table.size).toBe(0);
    expect(t.executor.started).toEqual(["four", "four"]);
    expect(() => t.idempotency.get("", "acme")).toThrow("no such execution");
  });

  it("tells a joining call its execution, and lets no client's policy run it elsewhere", async () => {
    await using t = setUp();
    await using first = await t.start("forever", "r-1");
    const joining = t.callOf();
    await using second = await t.start("forever", "r-1", never, joining);
    expect(second.executionId).toBe(first.executionId);
    expect(joining.trailers.get("x-execution-id")).toBe(first.executionId);
    expect(joining.trailers.get("x-correlation-id")).toBe("c-1");
    expect(joining.commits()).toBe(1);
  });

  it("tells a joining call nothing before it is committed, be it an error", async () => {
    const followerBounds = { perExecution: 1, perTenant: 100 };
    await using t = setUp({ keeping: { followerBounds } });
    await using _ = await t.start("forever", "r-1");
    const told: string[] = [];
    const join = async () => {
      const gate = Promise.withResolvers<void>();
      const commit = () => gate.promise;
      const { call, ...rest } = t.callOf();
      const joined = t.start("forever", "r-1", never, { ...rest, call: { ...call, commit } });
      joined.then(
        () => told.push("joined"),
        ({ kind }) => told.push(kind),
      );
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      told.push("committed");
      gate.resolve();
      return await joined;
    };
    await using __ = await join();
    await expect(join()).rejects.toMatchObject({ kind: "overloaded" });
    expect(told).toEqual(["committed", "joined", "committed", "overloaded"]);
  });

  it("commits no call whose request is new before its program starts", async () => {
    await using t = setUp({ slots: 1 });
    await using _ = await t.start("forever", "r-1");
    const waiting = t.callOf();
    await using __ = await t.start("forever", "r-2", never, waiting);
    expect(waiting.commits()).toBe(0);
  });

  it("starts anew, not joins, what is being ended before it started", async () => {
    await using t = setUp({ slots: 1, scripts: { four: () => 4 } });
    const blocker = await t.start("forever", "");
    const caller = new AbortController();
    const first = await t.start("four", "r-1", caller.signal);
    caller.abort(new Error("gone"));
    // In the same turn: the first one still has the id.
    expect(t.table.size).toBe(1);
    const second = t.start("four", "r-1");
    expect((await second).executionId).not.toBe(first.executionId);
    await blocker[Symbol.asyncDispose]();
    expect((await eventsOf(await second)).at(-1)).toMatchObject({
      outcome: { value: { json: "4" } },
    });
    expect(t.executor.started).toEqual(["forever", "four"]);
  });

  it("ends the wait for an id that is about to be free with the call", async () => {
    // A store that takes its time holds the end of the first one up.
    const slow = Promise.withResolvers<void>();
    const store = createMemoryStore();
    await using t = setUp({
      slots: 1,
      store: {
        ...store,
        append: async (...args) => {
          await slow.promise;
          return await store.append(...args);
        },
      },
    });
    const caller = new AbortController();
    await t.start("forever", "r-1", caller.signal);
    caller.abort(new Error("gone"));
    const other = new AbortController();
    const waiting = t.start("forever", "r-1", other.signal);
    other.abort(new Error("gone too"));
    await expect(waiting).rejects.toMatchObject({ kind: "cancelled" });
    slow.resolve();
  });

  it.each([
    ["its log is kept", {}],
    ["its log is gone", lostKeeping],
  ])(
    "says that an execution was lost while %s, and does not run it again",
    async (_title, keeping) => {
      const executor = playing([{ type: "started" }], new Error("the zygote died"));
      await using t = setUp({ executor, keeping });
      const first = await t.start("x", "r-1");
      const lost = { kind: "execution_lost", executionId: first.executionId };
      await expect(eventsOf(first)).rejects.toMatchObject(lost);
      await first.over;
      const second = t.start("x", "r-1").then(eventsOf);
      await expect(second).rejects.toMatchObject(lost);
      expect(() => t.idempotency.get("r-1", "acme")).toThrow(expect.objectContaining(lost));
    },
  );

  it("frees the id of what a draining service refuses, and still gives what runs", async () => {
    await using t = setUp();
    const started = t.executor.untilStarted("forever");
    await using running = await t.start("forever", "r-1");
    await started;
    await t.dispatcher.drain(AbortSignal.abort());
    const refused = await t.start("forever", "r-2");
    await expect(eventsOf(refused)).rejects.toMatchObject({ kind: "unavailable" });
    await refused.over;
    expect(t.table.get("acme", "r-2")).toBeUndefined();
    await using again = await t.start("forever", "r-1");
    expect(again.executionId).toBe(running.executionId);
  });

  it("frees the id of what could not be started at all", async () => {
    await using t = setUp({ keeping: { maxKnown: 1 } });
    const blocker = await t.start("forever", "");
    await expect(t.start("forever", "r-1")).rejects.toMatchObject({ kind: "overloaded" });
    expect(t.table.size).toBe(0);
    await blocker[Symbol.asyncDispose]();
    await using reader = await t.start("forever", "r-1");
    expect(t.table.size).toBe(1);
    expect(reader.summary().requestId).toBe("r-1");
  });
});
