import { compileSchema, type Draft, type SchemaNode, settings } from "json-schema-library";
import type { CheckedOutput } from "../output-schema.ts";
import { withDefaults } from "./defaults.ts";
import { describeErrors } from "./faults.ts";
import { drafts, withMatcher } from "./keywords.ts";
import { withNulls } from "./nullable.ts";
import { matchPatterns, type PatternTest } from "./patterns.ts";
import { isSchemaObject, mapSchemas, referred } from "./subschemas.ts";

type JsonSchemaCheck = (value: unknown) => Promise<CheckedOutput>;

/**
 * A check by a plain JSON Schema, by the rules of the draft that it names (2020-12 where it names
 * none); defaults are filled in, and an integer passes as one whether it is a number or a bigint.
 * Patterns are matched off the loop and in bounded time. Throws for what is no schema, or refers to
 * what is not in it.
 */
export function createJsonSchemaCheck(schema: unknown): JsonSchemaCheck {
  const node = compile(withNulls(schema));
  return async (given) => {
    const value = withDefaults(schema, given);
    const fault = await faultOf(node, toNumbers(value));
    return fault === undefined ? { value } : { fault };
  };
}

function compile(schema: unknown): SchemaNode {
  const named = isSchemaObject(schema) ? schema.$schema : undefined;
  if (named !== undefined) return compileBy(schema, draftOf(named));
  const [newest, ...older] = drafts.toReversed() as [Draft, ...Draft[]];
  try {
    return compileBy(schema, newest);
  } catch (error) {
    // Written for an older draft without saying so: the newest that can read it.
    for (const draft of older) {
      try {
        return compileBy(schema, draft);
      } catch {
        // What the newest had to say of it is told.
      }
    }
    throw error;
  }
}

function draftOf(named: unknown): Draft {
  const found = drafts.find(({ $schemaRegEx }) => new RegExp($schemaRegEx).test(String(named)));
  if (found !== undefined) return found;
  throw new Error(
    `$schema is ${JSON.stringify(named)}, which is none of the drafts 04, 06, 07, 2019-09 and 2020-12`,
  );
}

function compileBy(schema: unknown, draft: Draft): SchemaNode {
  const node = compileSchema(schema as Parameters<typeof compileSchema>[0], {
    drafts: [draft],
    throwOnInvalidRef: true,
  });
  const [error] = node.schemaErrors ?? [];
  if (error !== undefined) throw new Error(error.message);
  checkReferences(schema);
  return node;
}

/** Throws for a reference to what is not there; what has names and ids of its own is not looked into. */
function checkReferences(schema: unknown): void {
  const references = new Set<string>();
  let isNamed = false;
  mapSchemas(schema, (each) => {
    if (typeof each.$ref === "string") references.add(each.$ref);
    const names = [each.$id, each.id, each.$anchor, each.$dynamicAnchor];
    isNamed ||= names.some((name) => typeof name === "string");
    return each;
  });
  if (isNamed) return;
  for (const reference of references) {
    if (reference === "#" || referred(schema, reference) !== undefined) continue;
    throw new Error(`$ref ${JSON.stringify(reference)} is of nothing in this schema`);
  }
}

/** What is wrong with a value. Patterns are matched between two readings: the first says which. */
async function faultOf(node: SchemaNode, value: unknown): Promise<string | undefined> {
  const known = new Map<string, boolean>();
  for (;;) {
    const asked = new Map<string, PatternTest>();
    const { errors } = withMatcher(
      (source, flags, text) => {
        const key = JSON.stringify([source, text]);
        const isMatch = known.get(key);
        if (isMatch === undefined) asked.set(key, { source, flags, text });
        return isMatch ?? true;
      },
      () => validate(node, value),
    );
    if (asked.size === 0) {
      return errors.length === 0 ? undefined : describeErrors(errors, value);
    }
    const matches = await matchPatterns([...asked.values()]);
    if (matches === undefined) return tooSlow([...asked.values()]);
    for (const [index, key] of [...asked.keys()].entries()) known.set(key, matches[index] === true);
  }
}

function tooSlow(tests: readonly PatternTest[]): string {
  const sources = [...new Set(tests.map(({ source }) => JSON.stringify(source.slice(0, 100))))];
  return `$: it takes too long to find out whether the value fits the pattern ${sources.slice(0, 3).join(" or ")}`;
}

function validate(node: SchemaNode, value: unknown) {
  // The library passes some names over unless told otherwise.
  const passedOver = settings.propertyBlacklist;
  settings.propertyBlacklist = [];
  try {
    return node.validate(value);
  } finally {
    settings.propertyBlacklist = passedOver;
  }
}

/** A copy whose bigints are numbers, which is all that a schema's reader knows. */
function toNumbers(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(toNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toNumbers(member)]));
}
