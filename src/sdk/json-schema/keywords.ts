import {
  type Draft,
  draft04,
  draft06,
  draft07,
  draft2019,
  draft2020,
  extendDraft,
  type SchemaNode,
} from "json-schema-library";
import { stringifyJson } from "../../shared/json.ts";

/** Says whether a text matches a pattern. */
export type Matcher = (source: string, flags: string, text: string) => boolean;

let matcher: Matcher | undefined;

/** Runs a check, which is synchronous, with a matcher of its own. */
export function withMatcher<T>(own: Matcher, check: () => T): T {
  matcher = own;
  try {
    return check();
  } finally {
    matcher = undefined;
  }
}

type Parse = NonNullable<Draft["keywords"][number]["parse"]>;

const parsePattern: Parse = (node) => {
  const { pattern } = node.schema;
  if (pattern === undefined) return undefined;
  if (typeof pattern !== "string") return schemaError(node, "pattern is no text");
  try {
    node.pattern = toMatched(pattern);
  } catch (error) {
    return schemaError(node, (error as Error).message);
  }
  return undefined;
};

/** Its own parser makes regular expressions by the flag `u` alone. */
function withMatchers(parse: Parse | undefined): Parse {
  return (node) => {
    const { patternProperties } = node.schema;
    if (typeof patternProperties !== "object" || patternProperties === null) return undefined;
    const sources = Object.keys(patternProperties);
    try {
      for (const source of sources) toMatched(source);
    } catch (error) {
      return schemaError(node, (error as Error).message);
    }
    const { schema } = node;
    // The library reads the flags from here; a keyword of this name in a schema means nothing.
    const isPlain = sources.some((source) => flagsOf(source) === "");
    node.schema = { ...schema, regexFlags: isPlain ? "" : "u" };
    const found = parse?.(node);
    node.schema = schema;
    for (const property of node.patternProperties ?? [])
      property.pattern = toMatched(property.name);
    return found;
  };
}

/** Its own parser's table of members has those of every object as well, such as "toString". */
function withOwnNames(parse: Parse | undefined): Parse {
  return (node) => {
    const found = parse?.(node);
    if (node.properties !== undefined) {
      node.properties = Object.assign(Object.create(null), node.properties);
    }
    return found;
  };
}

/** What stands for a regular expression; throws for a pattern that is none. */
function toMatched(source: string): RegExp {
  const flags = flagsOf(source);
  const test = (text: string) => matcher?.(source, flags, text) ?? false;
  return { test } as RegExp;
}

/** Unicode where the pattern can be read so; many are written for engines without it. */
function flagsOf(source: string): string {
  try {
    new RegExp(source, "u");
    return "u";
  } catch {
    // Throws in its turn where it is no pattern at all.
    new RegExp(source);
    return "";
  }
}

/** Each item is looked up: the library compares each with each. */
const validateUnique: NonNullable<Draft["keywords"][number]["validate"]> = (given) => {
  const { node, data, pointer } = given;
  if (!Array.isArray(data)) return undefined;
  const seen = new Set<string>();
  for (const [index, item] of data.entries()) {
    const text = stringifyJson(sorted(item));
    if (seen.has(text)) {
      const { schema } = node;
      const at = `${pointer}/${index}`;
      return node.createError("unique-items-error", { pointer: at, value: item, schema });
    }
    seen.add(text);
  }
  return undefined;
};

/** A value whose members are in the order of their names, so that equal ones are equal as text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}

function schemaError(node: SchemaNode, message: string) {
  const { schema, schemaLocation: pointer } = node;
  return node.createError("schema-error", { pointer, schema, value: schema, message });
}

/** The drafts of JSON Schema, the oldest first; patterns are matched as `withMatcher` says. */
export const drafts: readonly Draft[] = [draft04, draft06, draft07, draft2019, draft2020].map(
  (draft) => {
    const own = draft.keywords.flatMap((keyword) => {
      if (keyword.keyword === "properties") {
        return { ...keyword, parse: withOwnNames(keyword.parse) };
      }
      if (keyword.keyword === "pattern") return { ...keyword, parse: parsePattern };
      if (keyword.keyword === "patternProperties") {
        return { ...keyword, parse: withMatchers(keyword.parse) };
      }
      return keyword.keyword === "uniqueItems" ? { ...keyword, validate: validateUnique } : [];
    });
    return extendDraft(draft, { keywords: own });
  },
);
