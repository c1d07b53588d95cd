import { describe, expect, it } from "vitest";
import { runnableTool } from "../../../src/sdk/runnable-tool.ts";
import type { ToolInfo } from "../../../src/sdk/tool.ts";

const info: ToolInfo = {
  context: {},
  signal: new AbortController().signal,
  executionId: "e",
  callId: "c",
  correlationId: "k",
};
const mebibyte = 1024 * 1024;
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const nestedValue = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
};

/** What a handler gets for JSON text, and what goes back when it returns that. */
async function roundTrip(valueJson: string, maxBytes = 8 * mebibyte) {
  let got: unknown;
  const execute = ({ value }: { value: unknown }) => {
    got = value;
    return value;
  };
  const answer = await runnableTool("echo", { execute }).run(
    `{"value":${valueJson}}`,
    info,
    maxBytes,
  );
  return { got, answer };
}

function answerOf(value: unknown, maxBytes = 2 * mebibyte) {
  return runnableTool("give", { execute: () => value }).run("{}", info, maxBytes);
}

describe("a value", () => {
  it.each<[string, unknown, string?]>([
    ["0", 0],
    ["5", 5],
    // JavaScript has one kind of number: the point is lost in the handler, not on the way to it.
    ["5.0", 5, "5"],
    ["-0.0", -0],
    ["9007199254740991", 2 ** 53 - 1],
    ["9007199254740992", 2n ** 53n],
    ["9007199254740993", 2n ** 53n + 1n],
    ["-9007199254740993", -(2n ** 53n) - 1n],
    ["18446744073709551615", 2n ** 64n - 1n],
    ["18446744073709551616", 2n ** 64n],
    ["1e300", 1e300, "1e+300"],
    ["0.1", 0.1],
    ['""', ""],
    ["[]", []],
    ["{}", {}],
    ["null", null],
    ['"é😀\\u0000"', "é😀\u0000"],
    ['{"":{"é":[true,false]}}', { "": { é: [true, false] } }],
    [nested(60), JSON.parse(nested(60))],
  ])("%s reaches a tool exactly, and comes back", async (text, value, back = text) => {
    const { got, answer } = await roundTrip(text);
    expect(got).toEqual(value);
    expect(answer).toEqual({ resultJson: back });
  });

  it("of a key that prototypes know is a member like any other", async () => {
    const { got, answer } = await roundTrip('{"__proto__":1,"constructor":2}');
    expect(Object.entries(got as object)).toEqual([
      ["__proto__", 1],
      ["constructor", 2],
    ]);
    expect(answer).toEqual({ resultJson: '{"__proto__":1,"constructor":2}' });
  });

  it.each([
    [nested(65), "nested deeper than 64"],
    [nested(10_000), "nested deeper than 64"],
    ["1e999", "the number 1e999 is out of range"],
    ["NaN", "not JSON"],
  ])("that is not exact JSON does not reach a tool (case %#)", async (text, fault) => {
    const { got, answer } = await roundTrip(text);
    expect(got).toBeUndefined();
    expect(answer).toMatchObject({
      error: { kind: "invalid_arguments", message: expect.stringContaining(fault) },
    });
  });

  it.each<[string, unknown, string]>([
    ["2**53 as a number", 2 ** 53, "9007199254740992"],
    ["2**64 as a number", 2 ** 64, "18446744073709551616"],
    ["-(2**60) as a number", -(2 ** 60), "-1152921504606846976"],
    ["a bigint", 2n ** 64n + 1n, "18446744073709551617"],
    ["a date", new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ["nothing", undefined, "null"],
    ["an absent member", { a: undefined, b: 1 }, '{"b":1}'],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
  ])("of a tool's own making crosses: %s", async (_title, value, resultJson) => {
    expect(await answerOf(value)).toEqual({ resultJson });
  });

  const cycle: Record<string, unknown> = { list: [1] };
  cycle.list = [cycle];
  it.each<[string, unknown, string]>([
    ["NaN", { a: [Number.NaN] }, "$.a[0]: NaN is not a JSON number"],
    ["an infinity", { a: Number.POSITIVE_INFINITY }, "$.a: Infinity is not a JSON number"],
    ["bytes", { data: new Uint8Array(2) }, "$.data: Uint8Array is not a JSON value"],
    ["a set", { "odd key": new Set([1]) }, '$["odd key"]: Set is not a JSON value'],
    ["a map", [new Map()], "$[0]: Map is not a JSON value"],
    ["an invalid date", { when: new Date(Number.NaN) }, "$.when: an invalid date"],
    ["a cycle", cycle, "$.list[0]: the value contains itself"],
    ["a function", { f: () => 1 }, "$.f: function is not a JSON value"],
    ["a symbol", [Symbol("s")], "$[0]: symbol is not a JSON value"],
    ["a lone surrogate", { text: "\ud800" }, "$.text: the text has a lone surrogate"],
    ["a depth of 65", nestedValue(65), "nested deeper than 64"],
    ["a depth of 10,000", nestedValue(10_000), "nested deeper than 64"],
  ])("that JSON cannot hold is refused with its place: %s", async (_title, value, fault) => {
    expect(await answerOf(value)).toMatchObject({
      error: { kind: "invalid_result", message: expect.stringContaining(fault) },
    });
  });

  it("of 2 MiB crosses, and of one byte more is refused with both sizes", async () => {
    const fits = "x".repeat(2 * mebibyte - 2);
    expect(await answerOf(fits)).toHaveProperty("resultJson.length", 2 * mebibyte);
    expect(await answerOf(`${fits}y`)).toMatchObject({
      error: {
        kind: "invalid_result",
        message: "invalid result: $: 2097153 bytes of JSON, at most 2097152 can be given back",
      },
    });
    expect(await answerOf(`${fits}y`, 8 * mebibyte)).toHaveProperty("resultJson");
    // Counted as UTF-8, not as characters.
    expect(await answerOf("é".repeat(mebibyte))).toHaveProperty("error");
    const { got } = await roundTrip(JSON.stringify("z".repeat(8 * mebibyte - 20)));
    expect(got).toHaveLength(8 * mebibyte - 20);
  });
});
