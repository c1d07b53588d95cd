import { describe, expect, it } from "vitest";
import { TenantRates } from "../../../src/dispatch/rate.ts";

function setUp(perMinute: number) {
  let time = 1_000_000.25;
  const rates = new TenantRates({ perMinute, now: () => time });
  const takeAll = (tenant = "acme") => {
    let taken = 0;
    while (rates.take(tenant) === 0) taken += 1;
    return taken;
  };
  return {
    rates,
    takeAll,
    pass: (ms: number) => {
      time += ms;
    },
  };
}

describe("TenantRates", () => {
  it("gives a tenant that was idle a minute's worth at once, and no more", () => {
    const { rates, takeAll, pass } = setUp(60);
    expect(takeAll()).toBe(60);
    pass(60_000 * 60);
    expect(takeAll()).toBe(60);
    expect(rates.take("acme")).toBe(1_000);
  });

  it.each([1, 7, 60, 90, 1_000, 6_001])("tells when the next token comes (%i a minute)", (n) => {
    const { rates, takeAll, pass } = setUp(n);
    takeAll();
    for (let round = 0; round < 200; round++) {
      const waitMs = rates.take("acme");
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(Math.ceil(60_000 / n));
      pass(waitMs - 1);
      if (60_000 / n > 1) expect(rates.take("acme")).toBeGreaterThan(0);
      pass(1);
      expect(rates.take("acme")).toBe(0);
      takeAll();
    }
  });

  it("lets no more through in any time than the bucket and what came in since", () => {
    const { takeAll, pass } = setUp(60);
    let taken = takeAll();
    for (let step = 0; step < 1_000; step++) {
      pass(137);
      taken += takeAll();
    }
    expect(taken).toBe(60 + Math.floor((1_000 * 137) / 1_000));
  });

  it("counts each tenant for itself", () => {
    const { takeAll } = setUp(5);
    expect(takeAll("acme")).toBe(5);
    expect(takeAll("globex")).toBe(5);
  });

  it("has one more for each that is given back, and never more than a minute's worth", () => {
    const { rates, takeAll, pass } = setUp(5);
    takeAll();
    rates.giveBack("acme");
    rates.giveBack("acme");
    expect(takeAll()).toBe(2);
    pass(60_000);
    rates.giveBack("acme");
    rates.giveBack("nobody");
    expect(takeAll()).toBe(5);
  });

  it("counts nothing where nothing is limited", () => {
    const { rates } = setUp(0);
    for (let count = 0; count < 1_000; count++) expect(rates.take("acme")).toBe(0);
    rates.giveBack("acme");
  });
});
