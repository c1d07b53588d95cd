import { expect, it } from "vitest";
import { root } from "../docs/support/blocks.ts";
import { promises, testsOf } from "../docs/support/promises.ts";
import { applies } from "./mutation.ts";
import { mutations } from "./mutations.ts";

it.each(mutations)("can take away $without", (mutation) => {
  expect(applies(mutation, root)).toBe(true);
});

it.each(promises)("there is one against each promise: %s", (promise, cell = "") => {
  const titles = testsOf(promise, cell).map(({ title }) => title);
  expect(mutations.filter(({ red }) => titles.includes(red))).not.toEqual([]);
});
