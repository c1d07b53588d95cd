import { describe, expect, it } from "vitest";
import { failed } from "../../../src/shared/stop.ts";
import { ended, executionOf, setUpTable as setUp, thrown } from "../../support/request-ids.ts";
import { requestOf } from "../../support/requests.ts";

const known = { lastSequence: 7 };

describe("IdempotencyTable", () => {
  it("claims an id once, and gives the execution to whoever asks for the same again", () => {
    const { claim, table } = setUp();
    expect(claim("r-1", "e-1")).toBeUndefined();
    expect(claim("r-1", "e-2")).toEqual({ executionId: "e-1", end: undefined });
    expect(table.get("acme", "r-1")).toEqual({ executionId: "e-1", end: undefined });
    expect(table.size).toBe(1);
  });

  it("knows nothing of another id, nor of another tenant's", () => {
    const { claim, table } = setUp();
    claim("r-1", "e-1");
    expect(claim("r-1", "e-2", "globex")).toBeUndefined();
    expect(claim("r-2", "e-3")).toBeUndefined();
    expect(table.get("globex", "r-1")?.executionId).toBe("e-2");
    expect(table.get("globex", "r-2")).toBeUndefined();
    expect(table.get("nobody", "r-1")).toBeUndefined();
  });

  it.each([false, true])(
    "refuses another request of the id, naming what differs (ended: %s)",
    (isEnded) => {
      const { claim, end } = setUp();
      claim("r-1", "e-1");
      if (isEnded) end("r-1", "e-1");
      expect(thrown(() => claim("r-1", "e-2", "acme", "x = 2"))).toMatchObject({
        kind: "already_exists",
        message: "the request_id is that of a request with another request.code",
        executionId: "e-1",
        violations: [{ field: "request.code", description: "is not what it was" }],
        retryable: false,
      });
      expect(claim("r-1", "e-3")?.executionId).toBe("e-1");
    },
  );

  it("frees the id of an execution that did not start", () => {
    const { claim, table } = setUp();
    claim("r-1", "e-1");
    table.release("acme", "r-1", "e-1");
    expect(table.size).toBe(0);
    expect(claim("r-1", "e-2", "acme", "x = 2")).toBeUndefined();
  });

  it("does not free an id that is another execution's, ended or unknown", () => {
    const { claim, end, table } = setUp();
    claim("r-1", "e-1");
    table.release("acme", "r-1", "e-0");
    table.release("globex", "r-1", "e-1");
    table.release("acme", "r-2", "e-1");
    expect(table.size).toBe(1);
    end("r-1", "e-1");
    table.release("acme", "r-1", "e-1");
    expect(claim("r-1", "e-2")?.executionId).toBe("e-1");
  });

  it("gives how the execution ended, exactly", () => {
    const { claim, end } = setUp();
    claim("r-1", "e-1");
    end("r-1", "e-1", "acme", '"é 🙂"');
    expect(claim("r-1", "e-2")).toEqual({
      executionId: "e-1",
      end: { ...known, execution: executionOf("r-1", "e-1", '"é 🙂"') },
    });
  });

  it("gives how an execution failed", () => {
    const { claim, table } = setUp();
    claim("r-1", "e-1");
    const { outcome, ...execution } = executionOf("r-1", "e-1");
    if (outcome === undefined) throw new Error("no outcome");
    const { usage, isolationTier, engine, warnings } = outcome;
    const result = failed("timeout", "the program ran longer than 10 ms");
    const failure = {
      ...execution,
      outcome: { ...result, usage, isolationTier, engine, warnings },
    };
    table.end("acme", failure, ended);
    expect(table.get("acme", "r-1")?.end).toEqual({ ...known, execution: failure });
  });

  it("knows that an execution was lost, and has no outcome of it", () => {
    const { claim, table } = setUp();
    claim("r-1", "e-1");
    table.end("acme", executionOf("r-1", "e-1"), { lastSequence: 9, isLost: true });
    const end = { lastSequence: 9, execution: undefined };
    expect(claim("r-1", "e-2")).toEqual({ executionId: "e-1", end });
  });

  it("starts an execution once for an id, and leaves it free when that fails", () => {
    const { table } = setUp({ maxRequests: 1 });
    let starts = 0;
    const start = () => {
      starts += 1;
      if (starts === 1) throw new Error("cannot start");
      return { executionId: `e-${starts}` };
    };
    const claim = (requestId: string) => table.claim("acme", requestOf("x", { requestId }), start);
    const started = { executionId: "e-2" };
    expect(() => claim("r-1")).toThrow("cannot start");
    expect(table.size).toBe(0);
    expect(claim("r-1")).toEqual({ started, known: undefined });
    expect(claim("r-1")).toEqual({ started: undefined, known: { ...started, end: undefined } });
    expect(() => claim("r-2")).toThrow("no more request ids");
    expect(starts).toBe(2);
  });

  it("takes an end once, and only of the execution that has the id", () => {
    const { claim, end, table } = setUp();
    claim("r-1", "e-1");
    end("r-1", "e-0");
    end("r-2", "e-1");
    end("r-1", "e-1", "globex");
    expect(table.get("acme", "r-1")?.end).toBeUndefined();
    end("r-1", "e-1");
    end("r-1", "e-1", "acme", "5");
    expect(table.get("acme", "r-1")?.end?.execution).toEqual(executionOf("r-1", "e-1"));
    expect(table.size).toBe(1);
  });

  it("knows a request for its time to live, counted from the end", () => {
    const { claim, end, pass, table } = setUp();
    claim("r-1", "e-1");
    pass(10 * 60_000);
    expect(claim("r-1", "e-2")?.executionId).toBe("e-1");
    end("r-1", "e-1");
    pass(59_999);
    expect(table.get("acme", "r-1")?.executionId).toBe("e-1");
    pass(1);
    expect(table.get("acme", "r-1")).toBeUndefined();
    expect(claim("r-1", "e-2", "acme", "x = 2")).toBeUndefined();
  });

  it("empties as the ended expire, whoever asks", () => {
    const { claim, end, pass, table } = setUp();
    for (let index = 0; index < 100; index++) {
      claim(`r-${index}`, `e-${index}`);
      end(`r-${index}`, `e-${index}`);
      pass(1);
    }
    pass(60_000);
    for (let index = 0; index < 5; index++) claim(`new-${index}`, "e", "globex");
    expect(table.size).toBe(5);
  });

  it("refuses a new id when it is full, saying when there is a place, and knows the old ones", () => {
    const { claim, end, pass } = setUp({ maxRequests: 3 });
    for (const index of [1, 2, 3]) claim(`r-${index}`, `e-${index}`);
    expect(thrown(() => claim("r-4", "e-4"))).toMatchObject({
      kind: "overloaded",
      retryAfterMs: 1_000,
      quota: [{ subject: "tenant:acme", description: "3 request ids remembered" }],
    });
    end("r-2", "e-2");
    pass(20_000);
    end("r-1", "e-1");
    expect(thrown(() => claim("r-4", "e-4"))).toMatchObject({ retryAfterMs: 40_000 });
    expect(claim("r-1", "e-5")?.executionId).toBe("e-1");
    pass(39_999);
    expect(thrown(() => claim("r-4", "e-4"))).toMatchObject({ retryAfterMs: 1 });
    pass(1);
    expect(claim("r-4", "e-4")).toBeUndefined();
    expect(claim("r-1", "e-5")?.executionId).toBe("e-1");
  });

  it("has room again for each id that is freed", () => {
    const { claim, table } = setUp({ maxRequests: 1 });
    claim("r-1", "e-1");
    expect(thrown(() => claim("r-2", "e-2"))).toMatchObject({ kind: "overloaded" });
    table.release("acme", "r-1", "e-1");
    expect(claim("r-2", "e-2")).toBeUndefined();
  });

  it("where tenants share it, has room for one that comes after a flood", () => {
    const { claim } = setUp({ maxRequests: 90, tenants: 4 });
    const flood = thrown(() => {
      for (let index = 0; index < 90; index++) claim(`r-${index}`, `e-${index}`);
    });
    expect(flood).toMatchObject({
      kind: "overloaded",
      quota: [{ subject: "tenant:acme", description: "80 request ids remembered" }],
    });
    expect(claim("r-1", "e-1", "globex")).toBeUndefined();
  });

  it("never asks for a retry in the past, also where not all that is over is forgotten yet", () => {
    const { claim, end, pass } = setUp({ maxRequests: 700, tenants: 4 });
    const fill = (tenant: string) =>
      thrown(() => {
        for (let index = 0; ; index++) claim(`r-${index}`, `e-${index}`, tenant);
      });
    fill("acme");
    for (const tenant of ["globex", "initech", "hooli"]) fill(tenant);
    for (let index = 0; index < 66; index++) end(`r-${index}`, `e-${index}`, "globex");
    pass(60_001);
    const refusal = thrown(() => claim("r-new", "e-new"));
    expect(refusal).toMatchObject({ kind: "overloaded", retryAfterMs: 0 });
  });
});
