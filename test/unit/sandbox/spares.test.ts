import { expect, it } from "vitest";
import type { CpythonGuest } from "../../../src/sandbox/cpython/guest.ts";
import { Spares } from "../../../src/sandbox/cpython/spares.ts";

const never = new AbortController().signal;

function setUp(target = 0) {
  let forks = 0;
  const spares = new Spares({
    target,
    fork: (count) => {
      forks += count;
    },
  });
  const served: string[] = [];
  const ask = (name: string, group: string, signal = never) =>
    spares.lease(signal, group).then(
      () => served.push(name),
      () => served.push(`${name} gave up`),
    );
  const born = () => spares.add({} as CpythonGuest);
  return { spares, served, ask, born, forks: () => forks };
}

it("gives guests to groups in turn, however many of one wait", async () => {
  const { ask, born, served, forks } = setUp();
  const loud = Array.from({ length: 100 }, (_, index) => ask(`loud ${index}`, "loud"));
  const quiet = ask("quiet 0", "quiet");
  // A few at a time, so that the first is ready soon.
  expect(forks()).toBeLessThan(101);
  const before = forks();
  born();
  born();
  await Promise.all([loud[0], quiet]);
  expect(served).toEqual(["loud 0", "quiet 0"]);
  expect(forks()).toBe(before + 2);
});

it("forgets one who gives up, and gives its guest to the next", async () => {
  const { ask, born, served } = setUp();
  const controller = new AbortController();
  const first = ask("first", "a", controller.signal);
  const second = ask("second", "a");
  controller.abort(new Error("enough"));
  await first;
  born();
  await second;
  expect(served).toEqual(["first gave up", "second"]);
});

it("ends the guests of those who gave up, beyond the number that shall wait", async () => {
  const { spares, ask, served } = setUp(1);
  const controller = new AbortController();
  const asked = [1, 2, 3].map((n) => ask(`${n}`, "a", controller.signal));
  controller.abort(new Error("enough"));
  await Promise.all(asked);
  let ended = 0;
  const guest = () => ({ [Symbol.dispose]: () => ended++ }) as unknown as CpythonGuest;
  for (let count = 0; count < 4; count++) spares.add(guest());
  expect(served).toHaveLength(3);
  expect(ended).toBe(3);
});
