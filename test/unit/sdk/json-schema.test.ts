import { describe, expect, it } from "vitest";
import { createJsonSchemaCheck } from "../../../src/sdk/json-schema/check.ts";

const integers = { type: "object", properties: { n: { type: "integer", minimum: 1 } } };
const eitherRequired = { oneOf: [{ required: ["a"] }, { required: ["b"] }] };
const unevaluated = {
  allOf: [{ properties: { a: {} } }],
  properties: { b: {} },
  unevaluatedProperties: false,
};
const draft = (name: string) => `http://json-schema.org/draft-${name}/schema#`;

describe("a check by a JSON Schema", () => {
  it.each<[string, unknown, unknown]>([
    ["an integer", integers, { n: 5 }],
    ["an integer beyond 2^53", integers, { n: 2n ** 64n + 1n }],
    ["a member that it does not name", integers, { x: [1n] }],
    ["null where the type is a list", { type: ["integer", "null"] }, null],
    ["a bigint where the type is a list", { type: ["integer", "null"] }, 2n ** 60n],
    ["any value", {}, { a: 1 }],
    ["a multiple", { type: "integer", multipleOf: 3 }, 9],
    ["a member of a tuple", { type: "array", prefixItems: [{ type: "integer" }] }, [2n ** 70n]],
    ["what another type's keyword says nothing of", { minLength: 3 }, 5],
    [
      "a reference to itself",
      { type: "object", properties: { next: { $ref: "#" }, n: { type: "integer" } } },
      { next: { next: { n: 2n ** 60n } } },
    ],
    ["a condition that is met", { if: { type: "string" }, else: { type: "null" } }, null],
    ["an object that is a constant", { const: { a: 1, b: 2 } }, { b: 2, a: 1 }],
    ["a list that an enum holds", { enum: [[1]] }, [1]],
    ["one of what must be given", { oneOf: [{ required: ["a"] }, { required: ["b"] }] }, { b: 1 }],
    ["a GUID of no version", { format: "uuid" }, "12345678-1234-ffff-ffff-1234567890AB"],
    ["a letter of any script", { pattern: "^\\p{L}+$" }, "ßéλ"],
    ["a pattern that only engines without unicode read", { pattern: "^\\w+\\-\\w$" }, "ab-c"],
    [
      "a name by such a pattern",
      { patternProperties: { "^\\-": { type: "string" } } },
      { "-": "" },
    ],
    ["definitions without a draft", { $ref: "#/definitions/a", definitions: { a: {} } }, 1],
    ["a tuple of an older draft that it does not name", { items: [{ type: "string" }] }, ["a", 1]],
    ["a limit of draft 04 without its name", { maximum: 5, exclusiveMaximum: true }, 4],
    ["what a draft 07 says beside a reference", besideReference(draft("07")), "long"],
    ["null that is nullable", { type: "string", nullable: true }, null],
    ["null that is nullable beside an enum", { enum: ["a"], nullable: true }, null],
    ["null that is nullable beside a constant", { const: "a", nullable: true }, null],
    [
      "null that is nullable beside a reference",
      {
        properties: { a: { $ref: "#/$defs/a", nullable: true } },
        $defs: { a: { type: "string" } },
      },
      { a: null },
    ],
    [
      "null that is nullable beside alternatives",
      { anyOf: [{ type: "string" }, { type: "number" }], nullable: true },
      null,
    ],
    [
      "members that every object inherits",
      { properties: { a: { type: "null" } } },
      { toString: 1 },
    ],
    ["unique objects", { uniqueItems: true }, [{ a: 1 }, { a: "1" }, [1], ["1"]]],
  ])("takes %s and gives it back", async (_title, schema, value) => {
    expect(await createJsonSchemaCheck(schema)(value)).toEqual({ value });
  });

  it("fills defaults in, wherever they are", async () => {
    const check = createJsonSchemaCheck({
      type: "object",
      properties: {
        units: { type: "string", default: "celsius" },
        id: { type: "integer" },
        list: { type: "array", items: { $ref: "#/$defs/place" } },
      },
      required: ["units"],
      $defs: { place: { properties: { city: { default: "Bonn" } }, required: ["city"] } },
    });
    expect(await check({ id: 2n ** 60n, list: [{}, { city: "Ulm" }] })).toEqual({
      value: { units: "celsius", id: 2n ** 60n, list: [{ city: "Bonn" }, { city: "Ulm" }] },
    });
  });

  it.each<[string, unknown, unknown, string]>([
    ["a fraction", integers, { n: 1.5 }, "$.n: expected integer, received number"],
    ["an integer below its minimum", integers, { n: 0 }, "$.n: expected at least 1"],
    ["a bigint below its minimum", integers, { n: -(2n ** 60n) }, "$.n: "],
    ["text", integers, { n: "5" }, "$.n: expected integer, received string"],
    ["a half of a fraction", { type: "integer", multipleOf: 1.5 }, 1.5, "expected integer"],
    ["a short text without a type", { minLength: 3 }, "ab", "$: "],
    [
      "a nested object whose type is only implied",
      { type: "object", properties: { a: { properties: { b: { type: "string" } } } } },
      { a: { b: 1 } },
      "$.a.b: expected string, received integer",
    ],
    [
      "a member that is missing",
      { properties: { "a/b": { required: ["c d"] } } },
      { "a/b": {} },
      '$["a/b"]["c d"]: it is required',
    ],
    [
      "a stranger, whatever its name",
      { type: "object", properties: {}, additionalProperties: false },
      { _id: 1 },
      "$._id: no member of this name is taken",
    ],
    ["what an enum does not hold", { enum: ["a", 1, null] }, "b", 'one of "a", 1, null'],
    ["both of one", eitherRequired, { a: 1, b: 1 }, "$: it fits more than one of"],
    ["none of one", eitherRequired, {}, '$: it fits none of [{"required":["a"]}'],
    ["none of any", { anyOf: [{ type: "string" }] }, 1, '$: it fits none of [{"type":"string"}]'],
    [
      "a stranger that every object inherits",
      { patternProperties: { "^x": {} }, properties: { a: {} }, additionalProperties: false },
      { toString: 1 },
      "$.toString: no member of this name is taken",
    ],
    ["no GUID", { format: "uuid" }, "12345678", "$: "],
    ["what stands beside a reference since 2019", besideReference(undefined), "long", "$: "],
    ["members beside all that is known", unevaluated, { a: 1, c: 1 }, "$.c: "],
    [
      "equal objects in another order",
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      "$[1]",
    ],
    ["what a pattern does not match", { pattern: "^a+$" }, "ab", "^a+$"],
    ["a limit of draft 04", { $schema: draft("04"), maximum: 5, exclusiveMaximum: true }, 5, "$: "],
    ["null without a word of it", { type: "string" }, null, "expected string, received null"],
    ["what is nullable and neither", { type: "string", nullable: true }, 1, "string or null"],
  ])("refuses %s", async (_title, schema, value, fault) => {
    const checked = await createJsonSchemaCheck(schema)(value);
    expect(checked).toEqual({ fault: expect.stringContaining(fault) });
  });

  it.each<[string, unknown, string]>([
    ["a reference elsewhere", { $ref: "https://example.com/schema.json" }, "is of nothing in this"],
    ["a reference to nothing", { $ref: "#/$defs/none" }, "$ref"],
    ["an unknown type", { type: "date" }, "date"],
    ["a pattern that is none", { pattern: "(" }, "("],
    ["an unknown draft", { $schema: "https://example.com/mine" }, "none of the drafts"],
    ["properties that are none", { properties: 7 }, "properties"],
  ])("is not made for %s", (_title, schema, message) => {
    expect(() => createJsonSchemaCheck(schema)).toThrow(message);
  });

  it("gives a pattern up that backtracks, and is well for the next", async () => {
    const check = createJsonSchemaCheck({ pattern: "^(a+)+$" });
    const before = process.hrtime.bigint();
    const [slow, next] = await Promise.all([check(`${"a".repeat(60)}!`), check("aaa")]);
    expect(slow).toEqual({ fault: expect.stringContaining("takes too long") });
    expect(next).toEqual({ value: "aaa" });
    // Left to itself it would take years.
    expect(Number(process.hrtime.bigint() - before) / 1e9).toBeLessThan(60);
  });
});

function besideReference($schema: string | undefined) {
  return {
    $schema,
    $ref: "#/definitions/text",
    maxLength: 2,
    definitions: { text: { type: "string" } },
  };
}
