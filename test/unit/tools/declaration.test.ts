import { expect, it } from "vitest";
import type { ToolDeclaration } from "../../../src/shared/model.ts";
import { declarationFaults, withShortDescription } from "../../../src/tools/declaration.ts";
import { toolOf } from "../../support/requests.ts";

it.each<[string, Partial<ToolDeclaration>]>([
  ["a plain name", {}],
  ["a name of 128 characters", { name: "🙂".repeat(128) }],
  ["a name that is no identifier", { name: "get weather/v2" }],
  ["a description of 4096 bytes", { description: "x".repeat(4096) }],
  ["a schema of 64 KiB", { inputSchemaJson: `{"a":"${"x".repeat(65_528)}"}` }],
])("takes %s", (_what, fields) => {
  expect(declarationFaults(toolOf("weather", fields))).toEqual([]);
});

it.each<[string, Partial<ToolDeclaration>, string, string]>([
  ["no name", { name: "" }, "name", "is empty"],
  ["a name of 129 characters", { name: "x".repeat(129) }, "name", "is 129 characters, at most 128"],
  [
    "a name of the service's own",
    { name: "__list__" },
    "name",
    'begins with "__", which is kept for the service',
  ],
  ["a name of two lines", { name: "a\nb" }, "name", "has a control character"],
  [
    "a schema over 64 KiB",
    { outputSchemaJson: `{"a":"${"x".repeat(65_529)}"}` },
    "output_schema_json",
    "is 65537 bytes, at most 65536",
  ],
  [
    "a schema that is not JSON",
    { inputSchemaJson: "{" },
    "input_schema_json",
    "is not a JSON Schema: $: not JSON",
  ],
  [
    "a schema that is no object",
    { inputSchemaJson: "true" },
    "input_schema_json",
    "is not a JSON Schema: $: expected an object",
  ],
])("refuses %s", (_what, fields, field, description) => {
  expect(declarationFaults(toolOf("weather", fields))).toEqual([{ field, description }]);
});

it("names every fault of a declaration", () => {
  const tool = toolOf("", { inputSchemaJson: "[]" });
  expect(declarationFaults(tool).map(({ field }) => field)).toEqual(["name", "input_schema_json"]);
});

it("cuts a description that is too long, counted in bytes, with a mark", () => {
  const long = withShortDescription(toolOf("weather", { description: "é".repeat(2049) }));
  expect(long.description).toBe(`${"é".repeat(2046)}…`);
  const fits = toolOf("weather", { description: "é".repeat(2048) });
  expect(withShortDescription(fits)).toBe(fits);
});
