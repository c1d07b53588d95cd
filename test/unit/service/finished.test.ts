import { describe, expect, it } from "vitest";
import { FinishedExecutions } from "../../../src/service/finished.ts";
import type { Execution } from "../../../src/shared/model.ts";

const usage = { wallMs: 1, cpuMs: 1, peakMemoryBytes: 1, outputBytes: 0, toolCalls: 0 };
function ended(executionId: string, json = "1"): Execution {
  const value = { json, text: "", type: "int" };
  return {
    executionId,
    state: "finished",
    outcome: {
      status: "completed",
      value,
      usage,
      isolationTier: "T2",
      engine: "cpython",
      warnings: [],
    },
    correlationId: "c",
    instanceId: "i",
    language: "python",
    createTime: new Date(0),
    startTime: new Date(0),
    endTime: new Date(0),
    requestId: "",
  };
}

function remembering(bounds: { maxCount?: number; maxAgeMs?: number; maxBytes?: number }) {
  const clock = { now: 0 };
  const wide = { maxCount: 1_000, maxAgeMs: 1_000, maxBytes: 1_000_000 };
  return {
    clock,
    finished: new FinishedExecutions({ ...wide, ...bounds, now: () => clock.now }),
  };
}

describe("FinishedExecutions", () => {
  it("shows an execution to its own tenant only", () => {
    const { finished } = remembering({});
    finished.add("acme", ended("1"));
    expect(finished.get("1", "acme")).toMatchObject({ executionId: "1" });
    expect(finished.get("1", "other")).toBeUndefined();
    expect(finished.get("2", "acme")).toBeUndefined();
  });

  it("forgets the oldest beyond its number", () => {
    const { finished } = remembering({ maxCount: 2 });
    for (const id of ["1", "2", "3"]) finished.add("acme", ended(id));
    expect(finished.get("1", "acme")).toBeUndefined();
    expect(finished.get("2", "acme")).toBeDefined();
  });

  it("forgets what is too old", () => {
    const { finished, clock } = remembering({ maxAgeMs: 100 });
    finished.add("acme", ended("1"));
    clock.now = 100;
    finished.add("acme", ended("2"));
    expect(finished.get("1", "acme")).toBeDefined();
    clock.now = 101;
    expect(finished.get("1", "acme")).toBeUndefined();
    expect(finished.get("2", "acme")).toBeDefined();
  });

  it("forgets the oldest beyond its size, and one that alone is too large", () => {
    const { finished } = remembering({ maxBytes: 1_000 });
    finished.add("acme", ended("1", "x".repeat(300)));
    finished.add("acme", ended("2", "x".repeat(300)));
    expect(finished.get("1", "acme")).toBeUndefined();
    expect(finished.get("2", "acme")).toBeDefined();
    finished.add("acme", ended("3", "x".repeat(3_000)));
    expect(finished.get("3", "acme")).toBeUndefined();
    finished.add("acme", ended("4"));
    expect(finished.get("4", "acme")).toBeDefined();
  });
});
