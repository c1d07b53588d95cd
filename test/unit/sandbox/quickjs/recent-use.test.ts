import { expect, it } from "vitest";
import { RecentUse } from "../../../../src/sandbox/quickjs/engine/recent-use.ts";

it("adds up what all programs of a group have used", () => {
  const use = new RecentUse();
  use.add("a", 30, 0);
  use.add("a", 30, 0);
  use.add("b", 7, 0);
  expect([use.of("a", 0), use.of("b", 0), use.of("c", 0)]).toEqual([60, 7, 0]);
});

it("counts half of it a quarter of a second later, whatever is added meanwhile", () => {
  const use = new RecentUse();
  use.add("a", 80, 0);
  expect(use.of("a", 250)).toBe(40);
  use.add("a", 10, 250);
  expect(use.of("a", 500)).toBe(25);
});

it("has forgotten after some seconds who has done nothing", () => {
  const use = new RecentUse();
  use.add("a", 50, 0);
  use.add("b", 50, 10_000);
  expect(use.of("a", 10_000)).toBe(0);
});
