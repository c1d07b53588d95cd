import { describe, expect, it } from "vitest";
import { checkJson, parseJson, parseJsonObject, stringifyJson } from "../../../src/shared/json.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("parseJson", () => {
  it.each([
    ["9007199254740993", 9007199254740993n],
    ["-18446744073709551616", -18446744073709551616n],
    ["5", 5],
    ["5.0", 5],
    ["1e2", 100],
    ["-0.0", -0],
    ['"é"', "é"],
    ['{"a":[9007199254740993,null]}', { a: [9007199254740993n, null] }],
  ])("reads %s without losing a digit", (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  it("takes 64 levels and refuses 65, whatever the length of the text", () => {
    expect(parseJson(nested(64))).toBeDefined();
    expect(() => parseJson(nested(65))).toThrow("nested deeper than 64");
    expect(() => parseJson(nested(1_000_000))).toThrow("nested deeper than 64");
  });

  it("does not count brackets in strings", () => {
    expect(parseJson(`"${"[".repeat(100)}\\"["`)).toBe(`${"[".repeat(100)}"[`);
  });

  it.each(["1e400", "NaN", "{", "", "[1,]"])("refuses %j", (text) => {
    expect(() => parseJson(text)).toThrow(/not JSON|out of range/);
  });

  it("refuses an array where an object is due", () => {
    expect(() => parseJsonObject("[]")).toThrow("expected an object");
  });
});

describe("stringifyJson", () => {
  it.each([
    [2n ** 64n, "18446744073709551616"],
    [2 ** 53, "9007199254740992"],
    [-0, "-0.0"],
    [0.1, "0.1"],
    ["é\u2028", JSON.stringify("é\u2028")],
    [{ a: undefined, b: [1n] }, '{"b":[1]}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ])("writes %s exactly", (value, text) => {
    expect(stringifyJson(value)).toBe(text);
  });

  const cycle: { self?: unknown } = {};
  cycle.self = [cycle];
  it.each([
    [{ rate: Number.NaN }, "$.rate: NaN"],
    [[1, Number.POSITIVE_INFINITY], "$[1]: Infinity"],
    [{ "a b": "\ud800" }, '$["a b"]: the text has a lone surrogate'],
    [cycle, "$.self[0]: the value contains itself"],
    [{ s: new Set([1]) }, "$.s: Set is not"],
    [{ b: new Uint8Array(1) }, "$.b: Uint8Array is not"],
    [{ f: () => 1 }, "$.f: function is not"],
    [[undefined], "$[0]: undefined is not"],
    [{ d: new Date(Number.NaN) }, "$.d: an invalid date"],
  ])("refuses what JSON cannot hold, naming the place (%#)", (value, message) => {
    expect(() => stringifyJson(value)).toThrow(message);
  });

  it("writes an object that stands in two places, which is not a cycle", () => {
    const twice = { a: 1 };
    expect(stringifyJson([twice, twice])).toBe('[{"a":1},{"a":1}]');
  });
});

describe("checkJson", () => {
  it.each(["null", "5.0", "-0.0", "18446744073709551616", '"é\\u0000"', '{"":[]}', nested(64)])(
    "takes %s, as parseJson does",
    (text) => {
      expect(() => checkJson(text, 100)).not.toThrow();
      expect(() => parseJson(text)).not.toThrow();
    },
  );

  it.each([
    ["", "$: not JSON"],
    ["{'a':1}", "$: not JSON"],
    ["NaN", "$: not JSON"],
    ["1 2", "$: not JSON"],
    [nested(65), "$: nested deeper than 64"],
    [nested(10_000), "$: nested deeper than 64"],
    ["1e999", "$: the number is out of range"],
    ['{"a":[0,{"b c":-1e999}]}', '$.a[1]["b c"]: the number is out of range'],
    ['["ok","\\udc00"]', "$[1]: the text has a lone surrogate"],
    [`[${"9".repeat(400)}]`, "$[0]: the number is out of range"],
    [`${"9".repeat(210)}e99`, "$: the number is out of range"],
    [`[${"0,".repeat(100)}0]`, "$: more than 100 values"],
    ['{"a":{"\\ud800":1}}', "$.a: the text has a lone surrogate"],
  ])("refuses %s and names the place", (text, message) => {
    expect(() => checkJson(text, 100)).toThrow(
      expect.objectContaining({ name: "JsonError", message }),
    );
  });
});
