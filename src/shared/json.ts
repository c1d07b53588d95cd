import type { JsonObject, JsonValue } from "./model.ts";

/** Deepest nesting that crosses a border, counted in open brackets. */
export const maxJsonDepth = 64;

/**
 * Most values that `checkJson` takes. Text of the same length can take ten times as long to read when
 * it is made of many small values, and whoever checks foreign text has others waiting.
 */
export const maxCheckedValues = 250_000;

/** Text or a value that is not exact JSON; `path` names the place, such as "$.items[3]". */
export class JsonError extends Error {
  readonly path: string;

  constructor(path: string, fault: string) {
    super(`${path}: ${fault}`);
    this.name = "JsonError";
    this.path = path;
  }
}

// JSON.parse source text access (ECMA-262 proposal, in V8 since 11.4); not in lib.es2024.
type SourceReviver = (key: string, value: unknown, context: { source?: string }) => unknown;

const mayBeInexact = /\d{16}|[eE]\+?\d{3}/;

function parsePlain(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new JsonError("$", "not JSON");
  }
}

/** JSON text to a value that keeps every digit: an integer beyond 2^53 becomes a `bigint`. */
export function parseJson(text: string): JsonValue {
  checkDepth(text);
  // Without a long number all are exact as they are, and reading takes a tenth of the time.
  if (!mayBeInexact.test(text)) return parsePlain(text);
  const reviver: SourceReviver = (_key, value, { source }) => {
    if (typeof value !== "number") return value;
    if (!Number.isFinite(value)) throw new JsonError("$", `the number ${source} is out of range`);
    if (Number.isSafeInteger(value) || source === undefined) return value;
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  try {
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as JsonValue;
  } catch (error) {
    if (error instanceof JsonError) throw error;
    throw new JsonError("$", "not JSON");
  }
}

// The numbers that may be infinite, and the escapes that may be half a character: rare enough to look closer.
const suspicious = /\d{200}|[eE]\+?\d{3}|\\u[dD][89a-fA-F]/;

/**
 * Checks that text is JSON which every reader of ours takes: without building exact values, many
 * times as fast as `parseJson`. Refuses lone surrogates too, and more than `maxValues` values. Throws a
 * JsonError that names the place.
 */
export function checkJson(text: string, maxValues: number): void {
  if (checkDepth(text) > maxValues) throw new JsonError("$", `more than ${maxValues} values`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JsonError("$", "not JSON");
  }
  if (!text.isWellFormed() || suspicious.test(text)) checkValue(value, "$");
}

function checkValue(value: unknown, path: string): void {
  if (typeof value === "string") checkText(value, path);
  else if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new JsonError(path, "the number is out of range");
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (isPlain(item)) continue;
      checkValue(item, `${path}[${index}]`);
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      checkText(key, path);
      if (!isPlain(member)) checkValue(member, `${path}${pathStep(key)}`);
    }
  }
}

/** Nothing can be wrong with it; saves most values their path. */
function isPlain(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "string") return value.isWellFormed();
  return typeof value !== "object" || value === null;
}

function checkText(text: string, path: string): void {
  if (!text.isWellFormed()) throw new JsonError(path, "the text has a lone surrogate");
}

/** JSON text to an object; anything else is a JsonError. */
export function parseJsonObject(text: string): JsonObject {
  const value = parseJson(text);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new JsonError("$", "expected an object");
  }
  return value as JsonObject;
}

/**
 * A value to JSON text. Dates become ISO 8601 strings and undefined properties are left out, as in
 * JSON.stringify; what JSON cannot hold exactly (NaN, infinities, lone surrogates, cycles, sets,
 * maps, bytes, functions) is a JsonError that names the place.
 */
export function stringifyJson(value: unknown): string {
  return write(value, "$", new Set());
}

function write(value: unknown, path: string, open: Set<object>): string {
  switch (typeof value) {
    case "boolean":
      return String(value);
    case "bigint":
      return String(value);
    case "number":
      if (!Number.isFinite(value)) throw new JsonError(path, `${value} is not a JSON number`);
      return writeNumber(value);
    case "string":
      checkText(value, path);
      return JSON.stringify(value);
    case "object":
      return value === null ? "null" : writeObject(value, path, open);
    default:
      throw new JsonError(path, `${typeof value} is not a JSON value`);
  }
}

function writeNumber(value: number): string {
  // "-0" would be read as the integer 0.
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  // Beyond 2^53 the shortest digits that name the number are not its own, and a reader of integers
  // takes them at their word. From 10^21 on there is an exponent, which means a float.
  const isLong = Number.isInteger(value) && !Number.isSafeInteger(value) && !text.includes("e");
  return isLong ? String(BigInt(value)) : text;
}

function writeObject(value: object, path: string, open: Set<object>): string {
  if (value instanceof Date) return writeDate(value, path);
  if (open.has(value)) throw new JsonError(path, "the value contains itself");
  if (open.size >= maxJsonDepth) throw new JsonError(path, `nested deeper than ${maxJsonDepth}`);
  open.add(value);
  try {
    if (Array.isArray(value)) {
      return `[${Array.from(value, (item, index) => write(item, `${path}[${index}]`, open)).join(",")}]`;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw new JsonError(path, `${value.constructor?.name ?? "object"} is not a JSON value`);
    }
    const members: string[] = [];
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue;
      members.push(`${write(key, path, open)}:${write(member, `${path}${pathStep(key)}`, open)}`);
    }
    return `{${members.join(",")}}`;
  } finally {
    open.delete(value);
  }
}

function writeDate(value: Date, path: string): string {
  if (Number.isNaN(value.getTime())) throw new JsonError(path, "an invalid date");
  return JSON.stringify(value.toISOString());
}

function pathStep(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/**
 * Refuses text that nests deeper than `maxJsonDepth`, before any parser sees it; gives the number of
 * its commas and opening brackets, which is that of its values.
 */
function checkDepth(text: string): number {
  let depth = 0;
  let values = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (inString) {
      if (char === 0x5c) index++;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x2c) values++;
    else if (char === 0x5b || char === 0x7b) {
      depth++;
      values++;
      if (depth > maxJsonDepth) throw new JsonError("$", `nested deeper than ${maxJsonDepth}`);
    } else if (char === 0x5d || char === 0x7d) depth--;
  }
  return values;
}
