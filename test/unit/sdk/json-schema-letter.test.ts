import Ajv from "ajv";
import Ajv2019 from "ajv/dist/2019.js";
import Ajv2020 from "ajv/dist/2020.js";
import draft06 from "ajv/dist/refs/json-schema-draft-06.json" with { type: "json" };
import Ajv04 from "ajv-draft-04";
import { describe, expect, it } from "vitest";
import { createJsonSchemaCheck } from "../../../src/sdk/json-schema/check.ts";

/** Another's reading of each draft. */
const options = { strict: false, validateFormats: false } as const;
const drafts = [
  [
    "http://json-schema.org/draft-04/schema#",
    () => new Ajv04.default({ ...options, ignoreKeywordsWithRef: true } as object),
  ],
  [
    "http://json-schema.org/draft-06/schema#",
    () =>
      new Ajv.default({ ...options, ignoreKeywordsWithRef: true } as object).addMetaSchema(draft06),
  ],
  [
    "http://json-schema.org/draft-07/schema#",
    () => new Ajv.default({ ...options, ignoreKeywordsWithRef: true } as object),
  ],
  ["https://json-schema.org/draft/2019-09/schema", () => new Ajv2019.default(options)],
  ["https://json-schema.org/draft/2020-12/schema", () => new Ajv2020.default(options)],
] as const;

const schemas: readonly object[] = [
  { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
  { properties: { a: {}, b: {} }, oneOf: [{ required: ["a"] }, { required: ["b"] }] },
  { anyOf: [{ required: ["a"] }, { type: "string" }], maxLength: 2 },
  { allOf: [{ required: ["a"] }, { required: ["b"] }] },
  { properties: { a: { type: "string" }, b: { $ref: "#/properties/a" } } },
  { $ref: "#/definitions/short", maxLength: 1, definitions: { short: { maxLength: 3 } } },
  { properties: { a: { minimum: 2, multipleOf: 0.5 } }, additionalProperties: false },
  { patternProperties: { "^\\p{Lu}": { type: "number" } }, additionalProperties: { type: "null" } },
  { pattern: "^(?!x)\\p{L}+$" },
  { not: { type: ["object", "array"] } },
  { items: { type: ["integer", "null"] }, minItems: 1, uniqueItems: true },
  { minLength: 2, maxLength: 3 },
  { enum: [1, "ab", null, { a: 1 }, [1, 2]] },
  { dependencies: { a: ["b"] }, maxProperties: 2 },
];
const values: readonly unknown[] = [
  null,
  true,
  0,
  1,
  1.0,
  2.5,
  -3,
  "",
  "a",
  "ab",
  "xab",
  "größe",
  "💩💩",
  [],
  [1, 2],
  [1, 1],
  [null, "a"],
  [{ a: 1 }, { a: 1 }],
  {},
  { a: 1 },
  { a: "x" },
  { b: "x" },
  { a: 2.5, b: null },
  { a: 2, b: "y", c: 3 },
  { Ä: 1 },
  { Ä: null, z: null },
  { constructor: 1 },
];

describe.each(drafts)("by %s", ($schema, create) => {
  it(`agrees with another validator over ${schemas.length} schemas and ${values.length} values`, async () => {
    const differing: unknown[] = [];
    for (const plain of schemas) {
      // Only the older drafts know this keyword; the newer ones split it.
      if ("dependencies" in plain && $schema.includes("draft/20")) continue;
      const schema = { $schema, ...plain };
      const check = createJsonSchemaCheck(schema);
      const other = create().compile(schema);
      for (const value of values) {
        const ours = "value" in (await check(value));
        if (ours !== other(value)) differing.push({ plain, value, ours });
      }
    }
    expect(differing).toEqual([]);
  });
});
