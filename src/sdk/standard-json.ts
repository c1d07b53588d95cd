import { createRequire } from "node:module";
import { join } from "node:path";
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import * as z from "zod";
import { zodToJsonSchema } from "zod-to-json-schema";
import { stringifyJson } from "../shared/json.ts";
import { argumentsOf } from "../shared/schema/parameters.ts";
import { shapeOf } from "../shared/schema/shape.ts";

/** The side of a tool that a schema is for. */
export type Side = "input" | "output";

/**
 * A Standard Schema as the text of a JSON Schema, whichever library it is of. Throws an Error that says
 * what to do where the library does not tell it, or where it is no schema of arguments.
 */
export function standardJson(schema: StandardSchemaV1, side: Side): string {
  const json = stringifyJson(jsonOf(schema, side));
  const { kind } = argumentsOf(shapeOf(json));
  if (side === "input" && kind !== "object") {
    throw new Error(
      `expected a schema of an object, whose members are the arguments; it is of ${kind}`,
    );
  }
  return json;
}

function jsonOf(schema: StandardSchemaV1, side: Side): object {
  const props: StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props> = schema["~standard"];
  const { vendor, jsonSchema } = props;
  if (vendor === "zod" && "_zod" in schema) return zodJson(schema as never, side);
  // zod 3 tells nothing of itself.
  if (vendor === "zod" && "_def" in schema) return zod3Json(schema as never, side);
  if (jsonSchema === undefined && vendor === "valibot") return valibotJson(schema, side);
  if (jsonSchema === undefined) {
    throw new Error(
      `a schema of ${JSON.stringify(vendor)} does not tell its JSON Schema: give one of a library that implements Standard JSON Schema, or a plain JSON Schema`,
    );
  }
  const json = jsonSchema[side]({ target: "draft-2020-12" });
  return vendor === "arktype" ? withArkDefaults(schema, json) : json;
}

function zodJson(schema: z.core.$ZodType, side: Side): object {
  const json = z.toJSONSchema(schema, {
    io: side,
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      const { type } = zodSchema._zod.def;
      if (type === "bigint") jsonSchema.type = "integer";
      // A date crosses as the text that stands for it.
      if (type === "date") Object.assign(jsonSchema, { type: "string", format: "date-time" });
    },
  });
  // The schema as data: zod hides its own `~standard` in it.
  return Object.fromEntries(Object.entries(json).filter(([key]) => key !== "~standard"));
}

function zod3Json(schema: Parameters<typeof zodToJsonSchema>[0], side: Side): object {
  return zodToJsonSchema(schema, { pipeStrategy: side, effectStrategy: "input" });
}

interface ValibotConverter {
  toJsonSchema(schema: unknown, options: { typeMode: Side; target: string }): object;
}

const converter = "@valibot/to-json-schema";

function valibotJson(schema: unknown, side: Side): object {
  for (const from of [import.meta.url, join(process.cwd(), "index.js")]) {
    const require = createRequire(from);
    let path: string;
    try {
      path = require.resolve(converter);
    } catch {
      continue; // it is not installed there
    }
    const { toJsonSchema } = require(path) as ValibotConverter;
    return toJsonSchema(schema, { typeMode: side, target: "draft-2020-12" });
  }
  throw new Error(
    `valibot tells its JSON Schema through ${converter}: install that, or wrap the schema in its toStandardJsonSchema()`,
  );
}

/** arktype leaves defaults out of its JSON Schema; it has them in its own form. */
function withArkDefaults(schema: object, json: Record<string, unknown>): object {
  const { optional = [] } = ((schema as { json?: unknown }).json ?? {}) as {
    optional?: readonly { key: string; default?: unknown }[];
  };
  const properties = { ...(json.properties as Record<string, object> | undefined) };
  for (const { key, default: value } of optional) {
    const property = properties[key];
    if (property !== undefined && value !== undefined) {
      properties[key] = { ...property, default: value } as object;
    }
  }
  return json.properties === undefined ? json : { ...json, properties };
}
