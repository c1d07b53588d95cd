import { expect, it } from "vitest";
import { RunControl } from "../../../../src/sandbox/quickjs/engine/run-control.ts";
import { Turns } from "../../../../src/sandbox/quickjs/engine/turns.ts";

const run = (group: string) => ({ group, control: new RunControl() });
const names = (all: readonly { group: string; control: RunControl }[]) =>
  all.filter(({ control }) => !control.isStanding).map(({ group }) => group);

it("lets all go on where there are no more than may execute at once", () => {
  const all = [run("a"), run("b")];
  new Turns(2).next(all);
  expect(names(all)).toEqual(["a", "b"]);
});

it("gives each group its turn, however many one of them has", () => {
  const turns = new Turns(1);
  const all = [run("loud"), run("loud"), run("loud"), run("quiet")];
  const order = Array.from({ length: 6 }, () => {
    turns.next(all);
    return names(all);
  });
  expect(order.flat()).toEqual(["loud", "quiet", "loud", "quiet", "loud", "quiet"]);
});

it("gives each run of a group its turn", () => {
  const turns = new Turns(1);
  const all = [run("a"), run("a"), run("a")];
  const seen = new Set<RunControl>();
  for (let count = 0; count < all.length; count++) {
    turns.next(all);
    for (const { control } of all) if (!control.isStanding) seen.add(control);
  }
  expect(seen.size).toBe(3);
});

it("lets a run go on that waits for something now, and one that is alone again", () => {
  const turns = new Turns(1);
  const [one, two] = [run("a"), run("b")];
  turns.next([one, two]);
  expect(two.control.isStanding).toBe(true);
  turns.next([two]);
  expect(two.control.isStanding).toBe(false);
  turns.next([one, two]);
  turns.next([one]);
  expect(names([one, two])).toEqual(["a", "b"]);
});

it("never has a run stand that is killed, so that it sees its end", () => {
  const turns = new Turns(1);
  const all = [run("a"), run("a")];
  turns.next(all);
  for (const { control } of all) control.kill();
  expect(names(all)).toEqual(["a", "a"]);
  turns.next(all);
  expect(names(all)).toEqual(["a", "a"]);
});
