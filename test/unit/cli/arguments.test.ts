import { expect, it } from "vitest";
import { addVariable, parseSeconds } from "../../../src/cli/arguments.ts";

it("collects variables, whose values may hold anything", () => {
  const one = addVariable("client_id=acme");
  expect(addVariable("note=a=b c", one)).toEqual({ client_id: "acme", note: "a=b c" });
  expect(addVariable("empty=")).toEqual({ empty: "" });
});

it.each(["client_id", "=acme", ""])("refuses %j as a variable", (text) => {
  expect(() => addVariable(text)).toThrow("expected key=value");
});

it("refuses a variable that is given twice", () => {
  expect(() => addVariable("a=2", { a: "1" })).toThrow('"a" is given twice');
});

it.each([
  ["1", 1_000],
  ["0.25", 250],
  ["600", 600_000],
])("reads %s seconds", (text, ms) => {
  expect(parseSeconds(text)).toBe(ms);
});

it.each(["0", "-1", "", "soon", "1s", "Infinity", "0.0001"])("refuses %j as seconds", (text) => {
  expect(() => parseSeconds(text)).toThrow("expected seconds");
});
