import { isSchemaObject, referred, type SchemaObject } from "./subschemas.ts";

// A chain of references has no end of its own.
const maxDepth = 64;

/** A value in which members that are absent and have a default are there; the rest is as given. */
export function withDefaults(root: unknown, value: unknown): unknown {
  return fill(root, root, value, 0);
}

function fill(root: unknown, schema: unknown, value: unknown, depth: number): unknown {
  if (!isSchemaObject(schema) || depth > maxDepth) return value;
  const next = (inner: unknown, given: unknown) => fill(root, inner, given, depth + 1);
  let filled = typeof schema.$ref === "string" ? next(referred(root, schema.$ref), value) : value;
  if (Array.isArray(schema.allOf)) for (const each of schema.allOf) filled = next(each, filled);
  if (Array.isArray(filled)) return fillItems(schema, filled, next);
  return isSchemaObject(filled) ? fillMembers(schema, filled, next) : filled;
}

type Fill = (schema: unknown, value: unknown) => unknown;

function fillItems(schema: SchemaObject, items: readonly unknown[], next: Fill): unknown {
  const { items: each, prefixItems } = schema;
  const first = Array.isArray(prefixItems) ? prefixItems : Array.isArray(each) ? each : [];
  if (first.length === 0 && !isSchemaObject(each)) return items;
  return items.map((item, index) => next(index < first.length ? first[index] : each, item));
}

function fillMembers(schema: SchemaObject, value: SchemaObject, next: Fill): unknown {
  if (!isSchemaObject(schema.properties)) return value;
  const members = new Map(Object.entries(value));
  for (const [name, member] of Object.entries(schema.properties)) {
    if (!isSchemaObject(member)) continue;
    if (members.has(name)) members.set(name, next(member, members.get(name)));
    else if (member.default !== undefined) members.set(name, structuredClone(member.default));
  }
  return Object.fromEntries(members);
}
