import { describe, expect, it } from "vitest";
import { backoffMs, type RetryPolicy } from "../../../src/shared/backoff.ts";

const policy: RetryPolicy = { maxAttempts: 4, baseMs: 100, maxMs: 1_000, jitter: 0.5 };

describe("backoffMs", () => {
  it.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [9, 1_000],
    [5_000, 1_000],
  ])("doubles to the longest wait: retry %i after %i ms", (retry, ms) => {
    expect(backoffMs(policy, retry, { random: () => 0 })).toBe(ms);
  });

  it("takes at most the jitter's share off", () => {
    expect(backoffMs(policy, 2, { random: () => 1 })).toBe(100);
  });

  it("never waits less than the server says, and spreads its callers over time", () => {
    const wait = (random: number) =>
      backoffMs(policy, 1, { retryAfterMs: 3_000, random: () => random });
    expect(wait(0)).toBe(3_000);
    expect(wait(1)).toBe(3_050);
  });
});
