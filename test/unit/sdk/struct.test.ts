import { describe, expect, it } from "vitest";
import { structViolations } from "../../../src/sdk/struct.ts";

const fieldsOf = (value: unknown) => structViolations(value, "context").map(({ field }) => field);

describe("structViolations", () => {
  it("takes every JSON value that a double holds exactly", () => {
    const value = {
      text: "é",
      integer: 2 ** 53 - 1,
      negative: -(2 ** 53 - 1),
      fraction: 0.1,
      yes: true,
      none: null,
      list: [1, [2], { three: 3 }],
      bare: Object.assign(Object.create(null), { key: "value" }),
    };
    expect(structViolations(value, "context")).toEqual([]);
  });

  it.each([
    ["an integer beyond 2^53", 2 ** 53],
    ["a bigint, even a small one", 5n],
    ["NaN", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["undefined", undefined],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["a lone surrogate", "\ud800"],
  ])("refuses %s by name", (_, value) => {
    expect(fieldsOf({ account: { ids: [1, value] } })).toEqual(["context.account.ids[1]"]);
  });

  it("names every fault at once", () => {
    expect(fieldsOf({ a: 1n, b: "fine", c: Number.NaN })).toEqual(["context.a", "context.c"]);
  });

  it("ends at 32 levels, so that a value that contains itself is refused", () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(structViolations(circle, "context")).toMatchObject([
      { description: "nested deeper than 32" },
    ]);
    const list: unknown[] = [];
    list.push(list);
    expect(fieldsOf({ list })).toHaveLength(1);
  });

  it.each([[null], ["text"], [[1]], [new Date(0)]])("refuses %s in place of an object", (value) => {
    expect(fieldsOf(value)).toEqual(["context"]);
  });
});
