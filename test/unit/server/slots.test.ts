import { expect, it } from "vitest";
import { slotsFor, usableMemory } from "../../../src/server/slots.ts";

it.each([
  [1, 51],
  [4, 204],
  [24, 1_000],
  [256, 1_000],
  [0.001, 1],
])("gives a machine of %f GiB %i slots", (gibibytes, slots) => {
  expect(slotsFor(gibibytes * 1024 ** 3)).toBe(slots);
});

it("knows how much memory it may use", () => {
  expect(usableMemory()).toBeGreaterThan(2 ** 27);
});
