import { expect, it } from "vitest";
import { Budgets } from "../../../src/server/budgets.ts";

/** Budgets of 25 ms at a time that only moves when it is told to, milliseconds. */
function startBudgets() {
  let now = 1_000;
  const budgets = new Budgets({ burstMs: 25, now: () => now });
  return {
    budgets,
    spend: (owner: string, times: number) => {
      for (let time = 0; time < times; time += 1) budgets.spend(owner, 1);
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

it("lets a burst pass, and then has an owner rest for what is spent", () => {
  const { budgets, spend } = startBudgets();
  spend("loud", 25);
  expect(budgets.restMs("loud")).toBe(0);
  spend("loud", 10);
  expect(budgets.restMs("loud")).toBe(40);
  expect(budgets.restMs("quiet")).toBe(0);
});

it("spends no more than a quarter of the time on one owner", () => {
  const { budgets, spend, pass } = startBudgets();
  spend("loud", 25);
  let spent = 0;
  for (let ms = 0; ms < 1_000; ms += 1) {
    pass(1);
    if (budgets.restMs("loud") > 0) continue;
    spend("loud", 1);
    spent += 1;
  }
  expect(spent).toBeGreaterThan(240);
  expect(spent).toBeLessThan(260);
});

it("gives the burst back to an owner for whom nothing was spent for a while", () => {
  const { budgets, spend, pass } = startBudgets();
  spend("loud", 50);
  pass(200);
  // What is spent on another one forgets those that are paid for.
  spend("other", 1);
  spend("loud", 25);
  expect(budgets.restMs("loud")).toBe(0);
  spend("loud", 1);
  expect(budgets.restMs("loud")).toBe(4);
});

it("knows those who are still at rest when others are forgotten", () => {
  const { budgets, spend, pass } = startBudgets();
  spend("loud", 1_000);
  spend("short", 1);
  pass(100);
  spend("other", 1);
  expect(budgets.restMs("loud")).toBe(4 * (1_000 - 25) - 100);
});

it("takes back what turned out to be good for something, and no more than that", () => {
  const { budgets, spend } = startBudgets();
  spend("known", 35);
  expect(budgets.restMs("known")).toBe(40);
  budgets.giveBack("known", 10);
  expect(budgets.restMs("known")).toBe(0);
  budgets.giveBack("known", 1_000);
  spend("known", 26);
  expect(budgets.restMs("known")).toBe(4);
  budgets.giveBack("stranger", 1_000);
  spend("stranger", 26);
  expect(budgets.restMs("stranger")).toBe(4);
});
