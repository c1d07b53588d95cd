import { describe, expect, it } from "vitest";
import { createJsonSchemaCheck } from "../../../src/sdk/json-schema.ts";

const integers = { type: "object", properties: { n: { type: "integer", minimum: 1 } } };

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
  ])("takes %s and gives it back", (_title, schema, value) => {
    expect(createJsonSchemaCheck(schema)(value)).toEqual({ value });
  });

  it("fills defaults in", () => {
    const check = createJsonSchemaCheck({
      type: "object",
      properties: { units: { type: "string", default: "celsius" }, id: { type: "integer" } },
    });
    expect(check({ id: 2n ** 60n })).toEqual({ value: { units: "celsius", id: 2n ** 60n } });
  });

  it.each<[string, unknown, unknown, string]>([
    ["a fraction", integers, { n: 1.5 }, "$.n: Invalid input: expected an integer"],
    ["an integer below its minimum", integers, { n: 0 }, "$.n: Too small"],
    ["a bigint below its minimum", integers, { n: -(2n ** 60n) }, "$.n: Too small"],
    ["text", integers, { n: "5" }, "$.n: Invalid input: expected number"],
    ["a half of a fraction", { type: "integer", multipleOf: 1.5 }, 1.5, "expected an integer"],
    ["a short text without a type", { minLength: 3 }, "ab", "Too small"],
    [
      "a nested object whose type is only implied",
      { type: "object", properties: { a: { properties: { b: { type: "string" } } } } },
      { a: { b: 1 } },
      "expected string, received number",
    ],
    [
      "a stranger",
      { type: "object", properties: {}, additionalProperties: false },
      { x: 1 },
      'Unrecognized key: "x"',
    ],
    ["what an enum does not hold", { enum: ["a", 1, null] }, "b", "Invalid input"],
  ])("refuses %s", (_title, schema, value, fault) => {
    expect(createJsonSchemaCheck(schema)(value)).toEqual({ fault: expect.stringContaining(fault) });
  });

  it.each<[string, unknown]>([
    ["a condition", { if: { type: "string" }, else: { type: "null" } }],
    ["a reference elsewhere", { $ref: "https://example.com/schema.json" }],
    ["unevaluated members", { type: "object", unevaluatedProperties: false }],
    ["an object as a constant", { const: { a: 1 } }],
    ["a list in an enum", { enum: [[1]] }],
    ["an unknown type", { type: "date" }],
  ])("is not made for %s, rather than made without", (_title, schema) => {
    expect(() => createJsonSchemaCheck(schema)).toThrow();
  });
});
