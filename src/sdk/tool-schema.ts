import type { StandardSchemaV1 } from "@standard-schema/spec";
import { JsonError, parseJson, stringifyJson } from "../shared/json.ts";
import { shapeOf } from "../shared/schema/shape.ts";
import { createJsonSchemaCheck } from "./json-schema/check.ts";
import { type CheckedOutput, checkOutput, describeIssues } from "./output-schema.ts";
import { type Side, standardJson } from "./standard-json.ts";

/** A schema of any kind, ready to be told to the service and to check values. */
export interface ToolSchema {
  /** JSON Schema as text; empty where any value is taken. */
  readonly json: string | Promise<string>;
  readonly check: (value: unknown) => Promise<CheckedOutput>;
}

/** What the AI SDK's `jsonSchema()` gives. */
interface AiSchema {
  readonly jsonSchema: object | PromiseLike<object>;
  readonly validate?: ((value: unknown) => AiVerdict | PromiseLike<AiVerdict>) | undefined;
}

type AiVerdict = { readonly success: boolean; readonly value?: unknown; readonly error?: unknown };

/**
 * Reads a schema: any Standard Schema, what the AI SDK's `jsonSchema()` and `lazySchema()` give, a
 * plain JSON Schema object, or none. Throws an Error that says why a schema cannot be used.
 */
export function toToolSchema(schema: unknown, side: Side): ToolSchema {
  if (schema === undefined) return { json: "", check: side === "input" ? checkObject : keep };
  if (isStandard(schema)) return fromStandard(schema, side);
  // The AI SDK's lazySchema; a function of a Standard Schema library has "~standard" and is above.
  if (typeof schema === "function") return toToolSchema(schema(), side);
  if (isAiSchema(schema)) return fromAiSchema(schema, side);
  if (schema === true || isPlainObject(schema)) return fromJsonSchema(schema, side);
  throw new Error("expected a Standard Schema, such as zod's, or a JSON Schema object");
}

async function keep(value: unknown): Promise<CheckedOutput> {
  return { value };
}

async function checkObject(value: unknown): Promise<CheckedOutput> {
  return isPlainObject(value) ? { value } : { fault: "$: expected an object" };
}

function fromStandard(schema: StandardSchemaV1, side: Side): ToolSchema {
  const check = schema["~standard"].vendor === "zod" ? checkZod : checkOutput;
  return { json: standardJson(schema, side), check: (value) => check(schema, value) };
}

/** `z.bigint()` wants small integers as bigints too, which JSON text cannot say. */
async function checkZod(schema: StandardSchemaV1, value: unknown): Promise<CheckedOutput> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { value: result.value };
  const widened = result.issues.reduce<unknown>(widen, value);
  if (widened === value) return { fault: describeIssues(result.issues) };
  return checkOutput(schema, widened);
}

function widen(value: unknown, issue: StandardSchemaV1.Issue): unknown {
  if (!("expected" in issue) || issue.expected !== "bigint") return value;
  const steps = (issue.path ?? []).map((step) => (typeof step === "object" ? step.key : step));
  return widenAt(value, steps);
}

function widenAt(value: unknown, [step, ...rest]: readonly PropertyKey[]): unknown {
  if (step === undefined) return Number.isInteger(value) ? BigInt(value as number) : value;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return value;
  const member = (value as Record<PropertyKey, unknown>)[step];
  const widened = widenAt(member, rest);
  if (widened === member) return value;
  if (Array.isArray(value)) return value.with(Number(step), widened);
  return { ...value, [step]: widened };
}

function fromAiSchema({ jsonSchema, validate }: AiSchema, side: Side): ToolSchema {
  if (validate === undefined) {
    if (!isPromiseLike(jsonSchema)) return fromJsonSchema(jsonSchema, side);
    const schema = Promise.resolve(jsonSchema).then((json) => fromJsonSchema(json, side));
    schema.catch(() => undefined);
    return {
      json: handled(schema.then(({ json }) => json)),
      check: async (value) => (await schema).check(value),
    };
  }
  return {
    json: isPromiseLike(jsonSchema)
      ? handled(Promise.resolve(jsonSchema).then(stringifyJson))
      : stringifyJson(jsonSchema),
    async check(value) {
      const { success, value: checked, error } = await validate(value);
      if (success) return { value: checked };
      return { fault: `$: ${error instanceof Error ? error.message : String(error)}` };
    },
  };
}

/** A promise whose rejection waits for someone to ask. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

// What the arguments of a call can be, or be among.
const takesObject = new Set(["object", "any", "union"]);

function fromJsonSchema(schema: unknown, side: Side): ToolSchema {
  const check = createJsonSchemaCheck(schema);
  const json = stringifyJson(schema);
  const { kind } = shapeOf(json);
  if (side === "input" && !takesObject.has(kind)) {
    throw new Error(
      `expected a schema of an object, whose members are the arguments; it is of ${kind}`,
    );
  }
  if (side === "input") return { json, check };
  return {
    json,
    async check(value) {
      try {
        // A JSON Schema speaks of JSON: dates are text by then, and absent members gone.
        return await check(value === undefined ? null : parseJson(stringifyJson(value)));
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
        return { fault: error.message };
      }
    },
  };
}

function isStandard(schema: unknown): schema is StandardSchemaV1 {
  return isMember(schema, "~standard") && isMember(schema["~standard"], "validate");
}

function isAiSchema(schema: unknown): schema is AiSchema {
  return isMember(schema, "jsonSchema") && isMember(schema, Symbol.for("vercel.ai.schema"));
}

function isMember<K extends PropertyKey>(value: unknown, key: K): value is Record<K, unknown> {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") && key in value
  );
}

function isPromiseLike(value: object): value is PromiseLike<object> {
  return "then" in value;
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
