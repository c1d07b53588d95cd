import { expect, it } from "vitest";
import { RunControl } from "../../../../src/sandbox/quickjs/engine/run-control.ts";
import { Turns } from "../../../../src/sandbox/quickjs/engine/turns.ts";

const fresh = (group: string) => ({ group, control: new RunControl() });
const run = (group: string) => {
  const executing = fresh(group);
  executing.control.enter(0);
  return executing;
};
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

it("has a run of a group that had its time stand from the beginning, beside long runs of others", () => {
  const turns = new Turns(1);
  const [quiet, loud, other] = [run("quiet"), run("loud"), run("loud")];
  turns.next([quiet]);
  turns.enter(loud);
  turns.enter(other);
  expect(names([quiet, loud, other])).toEqual(["quiet"]);
  turns.leave(quiet.control);
  expect(names([loud, other])).toEqual(["loud"]);
  turns.leave(loud.control);
  expect(other.control.isStanding).toBe(false);
});

it("has no run stand for the sake of its own group", () => {
  const turns = new Turns(1);
  const [long, short] = [run("a"), run("a")];
  turns.next([long]);
  turns.enter(short);
  expect(short.control.isStanding).toBe(false);
});

it("is told of a run in turn that waits, so that the next one need not wait for a look", () => {
  const turns = new Turns(1);
  const [one, two] = [run("a"), run("b")];
  turns.next([one, two]);
  expect(one.control.takesTurns).toBe(true);
  turns.leave(one.control);
  expect(one.control.takesTurns).toBe(false);
  expect(two.control.isStanding).toBe(false);
});
