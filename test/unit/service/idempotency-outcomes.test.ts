import { describe, expect, it } from "vitest";
import { setUpTable as setUp, thrown } from "../../support/request-ids.ts";

describe("the outcomes of an IdempotencyTable", () => {
  it("refuses a new id when what is kept of outcomes is full, and drops none for it", () => {
    const { claim, end, pass, table } = setUp({ outcomeBytes: 10_000 });
    const text = "x".repeat(1_700);
    for (const index of [1, 2, 3]) claim(`r-${index}`, `e-${index}`);
    for (const index of [1, 2, 3]) {
      end(`r-${index}`, `e-${index}`, "acme", text);
      pass(1_000);
    }
    expect(thrown(() => claim("r-4", "e-4"))).toMatchObject({
      kind: "overloaded",
      message: "no more outcomes can be remembered",
      retryAfterMs: 57_000,
      quota: [{ subject: "tenant:acme", description: "10000 bytes of outcomes remembered" }],
    });
    for (const index of [1, 2, 3]) {
      const known = { executionId: `e-${index}`, end: { execution: { requestId: `r-${index}` } } };
      expect(claim(`r-${index}`, "e-5")).toMatchObject(known);
    }
    pass(57_000);
    expect(claim("r-4", "e-4")).toBeUndefined();
    expect(table.size).toBe(3);
  });

  it("keeps the outcomes of all that ran when it became full", () => {
    const { claim, end, table } = setUp({ outcomeBytes: 1 });
    for (const index of [1, 2]) claim(`r-${index}`, `e-${index}`);
    for (const index of [1, 2]) end(`r-${index}`, `e-${index}`);
    for (const index of [1, 2]) {
      expect(table.get("acme", `r-${index}`)?.end?.execution?.executionId).toBe(`e-${index}`);
    }
    expect(thrown(() => claim("r-3", "e-3"))).toMatchObject({ kind: "overloaded" });
  });

  it("leaves each tenant its own part of the outcomes, whatever another holds", () => {
    const { claim, end } = setUp({ outcomeBytes: 10_000, tenants: 4 });
    for (const index of [1, 2, 3, 4]) claim(`r-${index}`, `e-${index}`);
    for (const index of [1, 2, 3, 4]) end(`r-${index}`, `e-${index}`, "acme", "x".repeat(9_000));
    expect(thrown(() => claim("r-5", "e-5"))).toMatchObject({ kind: "overloaded" });
    for (const index of [1, 2, 3]) {
      expect(claim(`r-${index}`, `e-${index}`, "globex")).toBeUndefined();
      end(`r-${index}`, `e-${index}`, "globex", "x".repeat(400));
    }
    expect(thrown(() => claim("r-4", "e-4", "globex"))).toMatchObject({
      quota: [{ subject: "service", description: "10000 bytes of outcomes remembered" }],
    });
    expect(claim("r-1", "e-1", "initech")).toBeUndefined();
  });

  it("has room for outcomes again when requests have expired", () => {
    const { claim, end, pass, table } = setUp({ outcomeBytes: 10_000 });
    const text = "x".repeat(3_000);
    claim("r-1", "e-1");
    end("r-1", "e-1", "acme", text);
    pass(60_000);
    claim("r-2", "e-2");
    claim("r-3", "e-3");
    end("r-2", "e-2", "acme", "4");
    end("r-3", "e-3", "acme", text);
    expect(table.get("acme", "r-2")?.end?.execution).toBeDefined();
    expect(table.get("acme", "r-3")?.end?.execution).toBeDefined();
  });
});
