import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import * as mini from "zod/mini";
import { z as z3 } from "zod3";
import { defineTool } from "../../../src/index.ts";
import { runnableTool } from "../../../src/sdk/runnable-tool.ts";
import { pythonSignature } from "../../../src/shared/schema/python.ts";

const execute = () => ({ ok: true });
const valibot = v.object({
  city: v.string(),
  days: v.nullable(v.pipe(v.number(), v.integer())),
  units: v.optional(v.picklist(["c", "f"]), "c"),
});
const libraries: Record<string, unknown> = {
  "zod 4": z.object({
    city: z.string(),
    days: z.int().nullable(),
    units: z.enum(["c", "f"]).default("c"),
  }),
  "zod mini": mini.object({
    city: mini.string(),
    days: mini.nullable(mini.int()),
    units: mini._default(mini.enum(["c", "f"]), "c"),
  }),
  "zod 3": z3.object({
    city: z3.string(),
    days: z3.number().int().nullable(),
    units: z3.enum(["c", "f"]).default("c"),
  }),
  valibot,
  "valibot's Standard JSON Schema": toStandardJsonSchema(valibot),
  arktype: type({ city: "string", days: "number.integer|null", units: "'c'|'f' = 'c'" }),
  "a plain JSON Schema": {
    type: "object",
    properties: {
      city: { type: "string" },
      days: { type: ["integer", "null"] },
      units: { enum: ["c", "f"], default: "c" },
    },
    required: ["city", "days"],
  },
};

describe.each(Object.keys(libraries))("a schema of %s", (library) => {
  const inputSchema = libraries[library] as z.ZodType;
  const tool = { description: "", inputSchema, outputSchema: inputSchema, execute };
  const info = {
    context: {},
    signal: new AbortController().signal,
    executionId: "e",
    callId: "c",
    correlationId: "k",
  };

  it("gives the signature that all give", async () => {
    expect(pythonSignature(await runnableTool("weather", tool).declare())).toBe(
      "weather(city: str, days: int | None = None, units: Literal['c', 'f'] = 'c') -> dict",
    );
  });

  it("fills in null and the default, and refuses what does not fit", async () => {
    const echo = { description: "", inputSchema, execute: (input: unknown) => input };
    const run = (text: string) => runnableTool("echo", echo).run(text, info, 1000);
    const meant = await run('{"city":"Bonn","units":null}');
    expect("resultJson" in meant && JSON.parse(meant.resultJson)).toEqual({
      city: "Bonn",
      days: null,
      units: "c",
    });
    expect(await run('{"city":5}')).toMatchObject({ error: { kind: "invalid_arguments" } });
  });
});

const standard = (vendor: string, jsonSchema?: object) => ({
  "~standard": { version: 1, vendor, validate: (value: unknown) => ({ value }), jsonSchema },
});
it.each<[string, unknown, string]>([
  ["a library that tells no JSON Schema", standard("mine"), '"mine" does not tell its JSON Schema'],
  [
    "a library that cannot tell this one",
    standard("mine", {
      input: () => {
        throw new Error("a function has no JSON Schema");
      },
    }),
    "a function has no JSON Schema",
  ],
  ["no object", z.string(), "expected a schema of an object"],
  ["plain text", { type: "string" }, "expected a schema of an object"],
  ["anything", z.any(), "expected a schema of an object"],
])("a tool whose input is of %s is refused where it is defined", (_what, inputSchema, message) => {
  const definition = { name: "t", description: "", inputSchema, execute };
  expect(() => defineTool(definition as never)).toThrow(message);
});
