import { describe, expect, it } from "vitest";
import { Shares, type SharesOptions } from "../../../src/shared/shares.ts";

/** Takes in turns for tenants until none may take more; gives what each holds. */
function fill(options: SharesOptions, tenants: readonly string[]) {
  const shares = new Shares(options);
  for (let isTaken = true; isTaken; ) {
    isTaken = false;
    for (const tenant of tenants) {
      if (!shares.mayTake(tenant)) continue;
      shares.take(tenant);
      isTaken = true;
    }
  }
  return { shares, held: tenants.map((tenant) => shares.heldBy(tenant)) };
}

describe("Shares", () => {
  it("lets one tenant have everything where nothing is said", () => {
    const { shares, held } = fill({ places: 100 }, ["a"]);
    expect(held).toEqual([100]);
    expect([shares.free, shares.held]).toEqual([0, 100]);
    expect(shares.mayTake("b")).toBe(false);
    expect(shares.hasItsShare("b")).toBe(false);
  });

  it("lets a tenant have its share, and another what is left", () => {
    const { shares, held } = fill({ places: 5, perTenant: 3 }, ["a"]);
    expect(held).toEqual([3]);
    expect(shares.hasItsShare("a")).toBe(true);
    expect(shares.mayTake("b")).toBe(true);
  });

  it.each([
    [1, [889]],
    [2, [471, 471]],
    [5, [196, 195, 195, 195, 195]],
  ])(
    "where places are shared, has some left beside %i tenants that take all they can",
    (count, expected) => {
      const tenants = Array.from({ length: count }, (_, index) => `t${index}`);
      const { shares, held } = fill({ places: 1_000, isShared: true }, tenants);
      expect(held).toEqual(expected);
      expect(shares.mayTake("another")).toBe(true);
      expect(tenants.every((tenant) => shares.hasItsShare(tenant))).toBe(true);
    },
  );

  it("shares one place too", () => {
    const { shares, held } = fill({ places: 1, isShared: true }, ["a", "b"]);
    expect(held).toEqual([1, 0]);
    expect(shares.hasItsShare("b")).toBe(false);
    shares.giveBack("a");
    expect(shares.mayTake("b")).toBe(true);
  });

  it("lets a tenant take more once another has given back", () => {
    const { shares } = fill({ places: 90, isShared: true }, ["a", "b"]);
    expect(shares.mayTake("a")).toBe(false);
    while (shares.heldBy("b") > 0) shares.giveBack("b");
    expect(shares.mayTake("a")).toBe(true);
    expect(shares.held).toBe(shares.heldBy("a"));
  });

  it("counts what is taken at once, and knows when more was taken than there is", () => {
    const shares = new Shares({ places: 100 });
    shares.take("a", 90);
    expect(shares.mayTake("b")).toBe(true);
    shares.take("b", 50);
    expect([shares.free, shares.mayTake("b")]).toEqual([-40, false]);
    shares.giveBack("a", 90);
    expect([shares.free, shares.mayTake("b")]).toEqual([50, true]);
  });

  it("leaves each tenant places of its own, whatever others hold", () => {
    const shares = new Shares({ places: 100, isShared: true, ownPlaces: 10 });
    shares.take("a", 200);
    shares.take("b", 9);
    expect(["a", "b", "c"].map((tenant) => shares.mayTake(tenant))).toEqual([false, true, true]);
    expect(["a", "b"].map((tenant) => shares.hasItsShare(tenant))).toEqual([true, false]);
    shares.take("b", 1);
    expect(shares.mayTake("b")).toBe(false);
  });
});
