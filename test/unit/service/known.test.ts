import { describe, expect, it } from "vitest";
import { KnownExecutions } from "../../../src/service/known.ts";
import type { Execution } from "../../../src/shared/model.ts";

function knownOf(executionId: string, fields: Partial<Execution> & { tenant?: string } = {}) {
  const { tenant = "acme", ...rest } = fields;
  const execution: Execution = {
    executionId,
    state: "running",
    outcome: undefined,
    correlationId: "c",
    instanceId: "i",
    language: "python",
    createTime: new Date(0),
    startTime: undefined,
    endTime: undefined,
    requestId: "",
    lastSequence: 0,
    ...rest,
  };
  return { executionId, tenant, summary: () => execution };
}

const all = { state: undefined, correlationId: undefined, before: undefined };
const idsOf = (listed: Iterable<{ summary: Execution }>) =>
  Array.from(listed, ({ summary }) => summary.executionId);

describe("known executions", () => {
  it("are their own tenant's only", () => {
    const known = new KnownExecutions();
    known.set(knownOf("1"));
    expect(known.get("1", "acme")?.executionId).toBe("1");
    expect(known.get("1", "globex")).toBeUndefined();
    expect(known.get("2", "acme")).toBeUndefined();
    expect(idsOf(known.list("globex", all))).toEqual([]);
  });

  it("are listed newest first, and keep their place when they end", () => {
    const known = new KnownExecutions();
    for (const id of ["1", "2", "3"]) known.set(knownOf(id));
    known.set(knownOf("1", { state: "finished" }));
    expect(idsOf(known.list("acme", all))).toEqual(["3", "2", "1"]);
    expect(known.count).toBe(3);
    expect(idsOf(known.list("acme", { ...all, state: "finished" }))).toEqual(["1"]);
  });

  it("are listed from a place on, whatever came and went", () => {
    const known = new KnownExecutions();
    for (const id of ["1", "2", "3", "4"]) known.set(knownOf(id));
    const [, third] = [...known.list("acme", all)];
    known.set(knownOf("5"));
    known.delete(knownOf("3"));
    known.delete(knownOf("2"));
    expect(idsOf(known.list("acme", { ...all, before: third?.place }))).toEqual(["1"]);
  });

  it("are listed by correlation id", () => {
    const known = new KnownExecutions();
    known.set(knownOf("1", { correlationId: "a" }));
    known.set(knownOf("2", { correlationId: "b" }));
    expect(idsOf(known.list("acme", { ...all, correlationId: "a" }))).toEqual(["1"]);
  });

  it("take up nothing once they are deleted, and are deleted once", () => {
    const known = new KnownExecutions();
    known.set(knownOf("1"));
    known.set(knownOf("2"));
    known.delete(knownOf("1"));
    known.delete(knownOf("1"));
    expect(known.count).toBe(1);
  });
});
