import { expect, it } from "vitest";
import { Refusals } from "../../../src/server/refusals.ts";

/** Refusals at a time that only moves when it is told to, milliseconds. */
function startRefusals() {
  let now = 1_000;
  const refusals = new Refusals(() => now);
  return {
    refusals,
    refuse: (owner: string, times: number) => {
      for (let time = 0; time < times; time += 1) refusals.add(owner);
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

it("lets a burst pass, and then has an owner rest for each", () => {
  const { refusals, refuse } = startRefusals();
  refuse("loud", 25);
  expect(refusals.restMs("loud")).toBe(0);
  refuse("loud", 10);
  expect(refusals.restMs("loud")).toBe(40);
  expect(refusals.restMs("quiet")).toBe(0);
});

it("spends no more than a quarter of the time on one owner", () => {
  const { refusals, refuse, pass } = startRefusals();
  refuse("loud", 25);
  let refused = 0;
  for (let ms = 0; ms < 1_000; ms += 1) {
    pass(1);
    if (refusals.restMs("loud") > 0) continue;
    refuse("loud", 1);
    refused += 1;
  }
  expect(refused).toBeGreaterThan(240);
  expect(refused).toBeLessThan(260);
});

it("gives the burst back to an owner that was not refused for a while", () => {
  const { refusals, refuse, pass } = startRefusals();
  refuse("loud", 50);
  pass(200);
  // Another one's refusal forgets those that are paid for.
  refuse("other", 1);
  refuse("loud", 25);
  expect(refusals.restMs("loud")).toBe(0);
  refuse("loud", 1);
  expect(refusals.restMs("loud")).toBe(4);
});

it("knows those who are still at rest when others are forgotten", () => {
  const { refusals, refuse, pass } = startRefusals();
  refuse("loud", 1_000);
  refuse("short", 1);
  pass(100);
  refuse("other", 1);
  expect(refusals.restMs("loud")).toBe(4 * (1_000 - 25) - 100);
});
