import { mapSchemas, type SchemaObject } from "./subschemas.ts";

// What else may refuse null. Keywords of one type say nothing of it.
const judges = ["$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if"];

/**
 * A schema in which `nullable: true`, which is OpenAPI's and no keyword of JSON Schema, is written out:
 * the one exception to the letter.
 */
export function withNulls(schema: unknown): unknown {
  return mapSchemas(schema, (each) => (each.nullable === true ? orNull(each) : each));
}

function orNull({ nullable: _, ...schema }: SchemaObject): SchemaObject {
  const node: Record<string, unknown> = { ...schema };
  if (node.type !== undefined) node.type = [...new Set([node.type, "null"].flat())];
  if (Array.isArray(node.enum)) node.enum = [...new Set([...node.enum, null])];
  if ("const" in node) {
    node.enum = [node.const, null];
    delete node.const;
  }
  const moved = judges.filter((key) => key in node);
  if (moved.length === 0) return node;
  const judged = Object.fromEntries(moved.map((key) => [key, node[key]]));
  for (const key of ["then", "else"]) {
    if (key in node) judged[key] = node[key];
    delete node[key];
  }
  for (const key of moved) delete node[key];
  return { ...node, anyOf: [{ type: "null" }, judged] };
}
