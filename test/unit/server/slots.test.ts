import { expect, it } from "vitest";
import {
  heapBytes,
  logBytesFor,
  outcomeBytesFor,
  requestsFor,
  slotsFor,
} from "../../../src/server/slots.ts";
import { usableMemory } from "../../../src/shared/usable-memory.ts";

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

it.each([
  [4, 1024 ** 3, 419_430, 256 * 1024 ** 2],
  [0.5, 128 * 1024 ** 2, 52_428, 32 * 1024 ** 2],
  [0.001, 268_435, 1_000, 16 * 1024 ** 2],
])(
  "gives a heap of %f GiB to one tenant's logs and to request ids",
  (gibibytes, bytes, ids, outcomes) => {
    expect(outcomeBytesFor(gibibytes * 1024 ** 3)).toBe(outcomes);
    expect(logBytesFor(gibibytes * 1024 ** 3)).toBe(bytes);
    expect(requestsFor(gibibytes * 1024 ** 3)).toBe(ids);
  },
);

it("knows how large its heap may become", () => {
  expect(heapBytes()).toBeGreaterThan(2 ** 27);
});
