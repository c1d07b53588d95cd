import type { JsonError } from "json-schema-library";
import { cutText } from "../../shared/capped-text.ts";
import { describeIssues } from "../output-schema.ts";

const maxMessageBytes = 400;

/** What is wrong with a value, as one text: the first few faults, each with its path. */
export function describeErrors(errors: readonly JsonError[], value: unknown): string {
  return describeIssues(
    errors.map((error) => ({
      message: cutText(messageOf(error), maxMessageBytes),
      path: [...pathOf(pointerOf(error), value), ...missing(error)],
    })),
  );
}

function messageOf({ code, message, data }: JsonError): string {
  const { schema } = data;
  switch (code) {
    case "type-error":
      return `expected ${[schema.type].flat().join(" or ")}, received ${kindOf(data.value)}`;
    case "required-property-error":
      return "it is required";
    case "no-additional-properties-error":
      return "no member of this name is taken";
    case "enum-error":
      return `expected one of ${schema.enum.map((each: unknown) => JSON.stringify(each)).join(", ")}`;
    case "const-error":
      return `expected ${JSON.stringify(schema.const)}`;
    case "any-of-error":
      return `it fits none of ${JSON.stringify(schema.anyOf)}`;
    case "one-of-error":
      return `it fits none of ${JSON.stringify(schema.oneOf)}`;
    case "multiple-one-of-error":
      return `it fits more than one of ${JSON.stringify(schema.oneOf)}`;
    case "minimum-error":
      return `expected ${schema.exclusiveMinimum === true ? "more than" : "at least"} ${schema.minimum}`;
    case "maximum-error":
      return `expected ${schema.exclusiveMaximum === true ? "less than" : "at most"} ${schema.maximum}`;
    default:
      // The path stands before it.
      return message.replace(/ (?:in|at) `#[^`]*`/, "");
  }
}

/** The name of a member that is required and not there. */
function missing({ code, data }: JsonError): string[] {
  return code === "required-property-error" ? [String(data.key)] : [];
}

function pointerOf({ data }: JsonError): string {
  return String(data.pointer ?? "#");
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value !== "number") return typeof value;
  return Number.isInteger(value) ? "integer" : "number";
}

/** The steps of a pointer; a name in it may hold a "/", which is not escaped there. */
function pathOf(pointer: string, value: unknown): (string | number)[] {
  const parts = pointer.split("/").slice(1);
  const path: (string | number)[] = [];
  let at: unknown = value;
  while (parts.length > 0) {
    let step = parts.shift() ?? "";
    if (Array.isArray(at)) {
      path.push(Number(step));
      at = at[Number(step)];
      continue;
    }
    const members = (at ?? {}) as Record<string, unknown>;
    const rest = [...parts];
    while (!Object.hasOwn(members, step) && rest.length > 0) step += `/${rest.shift()}`;
    if (Object.hasOwn(members, step)) parts.splice(0, parts.length - rest.length);
    else step = step.split("/")[0] ?? "";
    path.push(step);
    at = members[step];
  }
  return path;
}
