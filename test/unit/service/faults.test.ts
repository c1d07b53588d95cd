import { expect, it } from "vitest";
import { Faults } from "../../../src/service/faults.ts";

it("keeps 20 faults, and says how many more there were", () => {
  const faults = new Faults();
  for (let index = 0; index < 150; index++) faults.add(`f${index}`, "is bad");
  const { violations, message } = faults.toError();
  expect(violations).toHaveLength(20);
  expect(violations.at(-1)).toEqual({ field: "f19", description: "is bad" });
  expect(message).toMatch(/^f0 is bad; .*; f19 is bad; and 130 more$/);
});

it("says nothing of more where there are no more", () => {
  const faults = new Faults();
  for (let index = 0; index < 20; index++) faults.add("f", "is bad");
  expect(faults.toError().message).toMatch(/f is bad$/);
});

it("cuts a long description, and no character in half", () => {
  const faults = new Faults();
  faults.add("f", `is ${"😀".repeat(500)}`);
  const [{ description } = { description: "" }] = faults.toError().violations;
  expect(description.length).toBeLessThan(400);
  expect(description.isWellFormed()).toBe(true);
});
