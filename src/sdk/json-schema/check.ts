import * as z from "zod";
import { type CheckedOutput, describeIssues } from "./output-schema.ts";

type Node = Record<string, unknown>;

const everyType = ["string", "number", "boolean", "null", "array", "object"];
// Keywords that say something only of values of one type.
const constraints = new Set(
  (
    "minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf " +
    "items prefixItems contains minItems maxItems uniqueItems properties required additionalProperties " +
    "patternProperties propertyNames minProperties maxProperties"
  ).split(" "),
);
const holdsMap = new Set(["properties", "patternProperties", "$defs", "definitions"]);
const holdsSchema = new Set(
  "items prefixItems additionalItems additionalProperties contains propertyNames not allOf anyOf oneOf".split(
    " ",
  ),
);

/**
 * A check by a plain JSON Schema; defaults are filled in, and an integer passes as one whether it is
 * a number or a bigint. Throws for a schema that cannot be checked to the letter (`if`, remote
 * references, unevaluated members): no keyword is passed over in silence.
 */
export function createJsonSchemaCheck(schema: unknown): (value: unknown) => CheckedOutput {
  const prepared = prepare(schema);
  const checked = z.fromJSONSchema(prepared as Parameters<typeof z.fromJSONSchema>[0], {
    registry: z.registry(),
  });
  return (value) => {
    const result = checked.safeParse(toNumbers(value));
    if (result.success) return { value: toBigints(result.data, value) };
    return { fault: describeIssues(result.error.issues.map(asInteger)) };
  };
}

/** The schema in the words that zod takes to the letter: an integer is a multiple of one. */
function prepare(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(prepare);
  const node: Node = {};
  for (const [key, member] of Object.entries(schema)) {
    if (member === undefined) continue;
    if (holdsSchema.has(key)) node[key] = prepare(member);
    else if (holdsMap.has(key)) node[key] = prepareMap(member);
    else node[key] = member;
  }
  return withType(node);
}

function prepareMap(members: unknown): unknown {
  if (typeof members !== "object" || members === null) return members;
  return Object.fromEntries(Object.entries(members).map(([key, member]) => [key, prepare(member)]));
}

function withType(node: Node): Node {
  for (const key of ["const", "enum"]) {
    for (const value of [node[key]].flat()) {
      if (typeof value === "object" && value !== null) {
        throw new Error(`an object or a list as a ${key} is not supported`);
      }
    }
  }
  if ("enum" in node || "const" in node || "$ref" in node) return node;
  const { type } = node;
  // Without a type a keyword says something of its own kind of value alone.
  if (type === undefined) {
    return Object.keys(node).some((key) => constraints.has(key))
      ? { ...node, type: everyType }
      : node;
  }
  const types = [type].flat();
  if (!types.includes("integer")) return node;
  const numbers = types.map((each) => (each === "integer" ? "number" : each));
  const whole = { ...node, type: Array.isArray(type) ? numbers : "number" };
  if (!("multipleOf" in node)) return { ...whole, multipleOf: 1 };
  if (Number.isInteger(node.multipleOf)) return whole;
  return { ...whole, allOf: [...[node.allOf ?? []].flat(), { type: numbers, multipleOf: 1 }] };
}

function asInteger<I extends { readonly message: string }>(issue: I): I {
  if (!("divisor" in issue) || issue.divisor !== 1) return issue;
  return { ...issue, message: "Invalid input: expected an integer" };
}

/** A copy whose bigints are numbers, which is all that a schema's reader knows. */
function toNumbers(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(toNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toNumbers(member)]));
}

/** The bigints of the original back in their places; a JSON Schema moves nothing. */
function toBigints(value: unknown, original: unknown): unknown {
  if (typeof original === "bigint") return typeof value === "number" ? original : value;
  if (typeof value !== "object" || value === null) return value;
  if (typeof original !== "object" || original === null) return value;
  const source = original as Node;
  if (Array.isArray(value)) return value.map((item, index) => toBigints(item, source[index]));
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      toBigints(member, Object.hasOwn(source, key) ? source[key] : undefined),
    ]),
  );
}
