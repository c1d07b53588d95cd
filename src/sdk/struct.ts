import type { FieldViolation } from "../shared/errors.ts";

/** Deepest nesting that the service takes in a context or a config. */
const maxDepth = 32;

/**
 * What in a value a `google.protobuf.Struct` cannot hold exactly, each fault under its path, such as
 * "context.account.id"; empty when all of it can.
 */
export function structViolations(value: unknown, field: string): FieldViolation[] {
  if (isPlainObject(value)) return membersOf(value, field, 1);
  return [{ field, description: `expected a plain object, got ${describe(value)}` }];
}

function membersOf(value: object, field: string, depth: number): FieldViolation[] {
  if (depth > maxDepth) return [{ field, description: `nested deeper than ${maxDepth}` }];
  // A member that is undefined is left out, as JSON.stringify does.
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return members.flatMap(([key, member]) => [
    ...textViolations(key, field),
    ...faultsOf(member, `${field}.${key}`, depth + 1),
  ]);
}

function faultsOf(value: unknown, field: string, depth: number): FieldViolation[] {
  if (value === null || typeof value === "boolean") return [];
  if (typeof value === "string") return textViolations(value, field);
  if (typeof value === "number") return numberViolations(value, field);
  if (typeof value === "bigint") return [{ field, description: inexact }];
  if (Array.isArray(value)) {
    if (depth > maxDepth) return [{ field, description: `nested deeper than ${maxDepth}` }];
    return Array.from(value).flatMap((item, index) =>
      faultsOf(item, `${field}[${index}]`, depth + 1),
    );
  }
  if (isPlainObject(value)) return membersOf(value, field, depth);
  return [{ field, description: `${describe(value)} is not a JSON value` }];
}

const inexact = "an integer that may lose digits here; pass it as a string";

function numberViolations(value: number, field: string): FieldViolation[] {
  if (!Number.isFinite(value)) return [{ field, description: `${value} is not a JSON number` }];
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return [{ field, description: inexact }];
  }
  return [];
}

function textViolations(value: string, field: string): FieldViolation[] {
  return value.isWellFormed() ? [] : [{ field, description: "the text has a lone surrogate" }];
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  // The second test lets objects of another realm pass, such as those of a test runner's VM.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return value.constructor?.name ?? "an object";
  return typeof value === "undefined" ? "undefined" : `a ${typeof value}`;
}
