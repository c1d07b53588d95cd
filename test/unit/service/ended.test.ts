import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Ended, EndedExecutions, type RetentionBounds } from "../../../src/service/ended.ts";

const KiB = 1024;
// What each takes up beside its log.
const own = 2 * KiB;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function keeping(bounds: Partial<RetentionBounds>) {
  const forgotten: string[] = [];
  const ended = new EndedExecutions<Ended>({
    endedForMs: 1_000,
    tenantBytes: 1_000 * KiB,
    totalBytes: 1_000 * KiB,
    ...bounds,
    forget: ({ executionId }) => forgotten.push(executionId),
  });
  return {
    ended,
    forgotten,
    add: (executionId: string, { tenant = "acme", bytes = 8 * KiB } = {}) =>
      ended.add({ executionId, tenant, bytes }),
  };
}

describe("ended executions", () => {
  it("are kept for their time each, and forgotten without anybody asking", () => {
    const t = keeping({ endedForMs: 1_000 });
    t.add("a");
    vi.advanceTimersByTime(400);
    t.add("b");
    vi.advanceTimersByTime(599);
    expect(t.forgotten).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(t.forgotten).toEqual(["a"]);
    vi.advanceTimersByTime(400);
    expect(t.forgotten).toEqual(["a", "b"]);
    expect([t.ended.bytes, vi.getTimerCount()]).toEqual([0, 0]);
    t.add("c");
    vi.advanceTimersByTime(1_000);
    expect(t.forgotten).toEqual(["a", "b", "c"]);
  });

  it("of one tenant have their bytes, the oldest going first, and leave others alone", () => {
    const t = keeping({ tenantBytes: 3 * (8 * KiB + own) });
    for (const id of ["a", "b", "c"]) t.add(id);
    t.add("x", { tenant: "globex" });
    expect(t.forgotten).toEqual([]);
    t.add("d");
    expect(t.forgotten).toEqual(["a"]);
    t.add("e", { bytes: 16 * KiB });
    expect(t.forgotten).toEqual(["a", "b", "c"]);
  });

  it("of all tenants have their bytes, the oldest going first, whoever's it is", () => {
    const t = keeping({ totalBytes: 2 * (8 * KiB + own) });
    t.add("x", { tenant: "globex" });
    t.add("a");
    t.add("b");
    expect(t.forgotten).toEqual(["x"]);
    t.add("y", { tenant: "globex" });
    expect(t.forgotten).toEqual(["x", "a"]);
    expect(t.ended.bytes).toBe(2 * (8 * KiB + own));
  });

  it("with a log that is too large alone are not kept, and push nobody out", () => {
    const t = keeping({ tenantBytes: 20 * KiB, totalBytes: 1_000 * KiB });
    t.add("a");
    t.add("huge", { bytes: 20 * KiB });
    expect(t.forgotten).toEqual(["huge"]);
    expect(t.ended.bytes).toBe(8 * KiB + own);
  });

  it("make room when it is needed otherwise, oldest first", () => {
    const t = keeping({});
    t.add("a");
    t.add("b", { tenant: "globex" });
    expect([t.ended.forgetOldest(), t.ended.forgetOldest(), t.ended.forgetOldest()]).toEqual([
      true,
      true,
      false,
    ]);
    expect(t.forgotten).toEqual(["a", "b"]);
    expect(t.ended.bytes).toBe(0);
  });

  it("keep no process waiting once they are disposed", () => {
    const t = keeping({});
    t.add("a");
    t.ended[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });
});
