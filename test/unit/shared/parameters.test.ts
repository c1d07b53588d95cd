import { describe, expect, it } from "vitest";
import * as z from "zod";
import { parametersOf } from "../../../src/shared/schema/parameters.ts";
import { pythonSignature } from "../../../src/shared/schema/python.ts";

const text = (schema: z.ZodType) => JSON.stringify(z.toJSONSchema(schema, { io: "input" }));
const json = (schema: unknown) => JSON.stringify(schema);
const tool = (name: string, inputSchemaJson: string) => ({
  name,
  inputSchemaJson,
  outputSchemaJson: "",
});

describe("parametersOf", () => {
  it.each<[string, string, readonly string[] | undefined, readonly string[]]>([
    [
      "zod's objects",
      text(z.object({ a: z.string(), b: z.string().default("x") })),
      ["a", "b"],
      ["a"],
    ],
    ["zod's loose objects", text(z.looseObject({ a: z.string() })), undefined, ["a"]],
    ["zod's strict objects", text(z.strictObject({ a: z.string() })), ["a"], ["a"]],
    ["zod's records", text(z.record(z.string(), z.int())), undefined, []],
    [
      "zod's intersections",
      text(z.object({ a: z.int() }).and(z.object({ b: z.int() }))),
      ["a", "b"],
      ["a", "b"],
    ],
    ["no schema", "", undefined, []],
    ["an object of which nothing is said", '{"type":"object"}', undefined, []],
    ["an object without members", '{"type":"object","properties":{}}', [], []],
    ["a closed object", '{"type":"object","additionalProperties":false}', [], []],
    [
      "a union",
      text(z.union([z.object({ a: z.int() }), z.object({ b: z.int() })])),
      ["a", "b"],
      [],
    ],
    [
      "what each of a union requires",
      text(
        z.discriminatedUnion("type", [
          z.object({ type: z.literal("a"), n: z.int() }),
          z.object({ type: z.literal("b"), s: z.string() }),
        ]),
      ),
      ["type", "n", "s"],
      ["type"],
    ],
    [
      "alternatives of what is required",
      json({ properties: { a: {}, b: {} }, anyOf: [{ required: ["a"] }, { required: ["b"] }] }),
      ["a", "b"],
      [],
    ],
    [
      "an anchor",
      json({ $ref: "#it", $defs: { x: { $anchor: "it", properties: { a: {} } } } }),
      ["a"],
      [],
    ],
    [
      "what has a default, or is null by itself",
      text(z.object({ a: z.string().nullable(), b: z.string() })),
      ["b", "a"],
      ["b"],
    ],
    [
      "a reference",
      json({ $ref: "#/$defs/A", $defs: { A: { type: "object", properties: { a: {} } } } }),
      ["a"],
      [],
    ],
  ])("reads %s", (_title, schema, parameters, required) => {
    expect(parametersOf(schema)).toMatchObject({ parameters, required });
  });

  it("gives the order of the signature, by which positional arguments go", () => {
    const schema = json({
      type: "object",
      properties: { from: {}, late: {}, first: {}, "x-y": {}, second: {} },
      required: ["second", "first", "from"],
    });
    expect(parametersOf(schema).parameters).toEqual(["first", "second", "late", "from", "x-y"]);
    expect(pythonSignature(tool("t", schema))).toBe(
      "t(first: Any, second: Any, late: Any = ..., **{'from': Any, 'x-y': Any}) -> Any",
    );
  });
});

describe("null", () => {
  const schema = json({
    properties: {
      requiredNullable: { type: ["string", "null"] },
      requiredDefault: { type: ["string", "null"], default: "x" },
      optional: { type: "string" },
      optionalDefault: { type: "string", default: "x" },
      optionalNullable: { anyOf: [{ type: "string" }, { type: "null" }] },
      optionalOpenApi: { type: "string", nullable: true },
      optionalAny: {},
      required: { type: "string" },
    },
    required: ["requiredNullable", "requiredDefault", "required"],
  });

  it("stands for a required argument that is left out, and for nothing where it cannot be", () => {
    const { required, nullWhenAbsent, absentWhenNull } = parametersOf(schema);
    expect(required).toEqual(["required"]);
    expect(nullWhenAbsent).toEqual(["requiredNullable"]);
    expect(absentWhenNull).toEqual(["optional", "optionalDefault"]);
  });

  it("is shown as the default of what is null when left out", () => {
    expect(pythonSignature(tool("t", schema))).toContain(
      "t(required: str, requiredNullable: str | None = None, requiredDefault: str | None = 'x'",
    );
  });
});
