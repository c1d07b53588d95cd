import { describe, expect, it } from "vitest";
import { RetryBudget } from "../../../src/sdk/retry-budget.ts";

describe("a retry budget", () => {
  it("allows retries while more than half of its tokens are left", () => {
    const budget = new RetryBudget({ maxTokens: 4, tokenRatio: 0.5 });
    expect([budget.spend(), budget.spend(), budget.spend()]).toEqual([true, false, false]);
  });

  it("is never below none nor above its most", () => {
    const budget = new RetryBudget({ maxTokens: 2, tokenRatio: 0.5 });
    for (let call = 0; call < 100; call++) budget.spend();
    for (let call = 0; call < 3; call++) budget.earn();
    expect(budget.spend()).toBe(false);
    for (let call = 0; call < 100; call++) budget.earn();
    expect(budget.spend()).toBe(false);
    expect(new RetryBudget({ maxTokens: 3, tokenRatio: 1 }).spend()).toBe(true);
  });
});
