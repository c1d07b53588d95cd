import { innermost, safeHeading } from "./errors.ts";
import { inspect } from "./format.ts";
import { host } from "./host.ts";
import { type Conversion, NotJson, resultToJson, TooMany } from "./json.ts";
import {
  append,
  getPrototypeOf,
  isInstance,
  NewError,
  NewInternalError,
  setPrototypeOf,
  slice,
  stringify,
  toText,
  toWellFormed,
} from "./primordials.ts";

// The host cuts to bytes; this is only so that it need not be given more than that.
const maxTextLength = 256 * 1024;
const maxMessageLength = 8 * 1024;
const maxTracebackLength = 32 * 1024;
const maxTypeLength = 256;
const maxNoteLength = 1024;

/** Reports the program's value: as JSON text where it is JSON, and always as text. */
export function reportValue(
  value: unknown,
  maxJsonBytes: number,
  remarks: readonly string[] = [],
): void {
  const { json, conversions, notes, isTooLarge } = jsonOf(value, maxJsonBytes);
  const tooLarge =
    isTooLarge ||
    host.r(
      stringify({
        __proto__: null,
        status: "completed",
        text: cut(textOf(value), maxTextLength),
        type: cut(typeOf(value), maxTypeLength),
        hasJson: json !== undefined,
        conversions: bare(conversions),
        notes: bare(joined(notes, remarks)),
      }),
      json ?? "",
    );
  if (tooLarge === 0) return;
  const size = tooLarge === true ? `more than ${maxJsonBytes}` : tooLarge;
  const message = `the result is ${size} bytes of JSON, at most ${maxJsonBytes} are taken`;
  fail("exception", "ResultTooLarge", message, `ResultTooLarge: ${message}`, 0);
}

/** Reports what the program has thrown, or why it does not parse. */
export function reportError(error: unknown, isSyntax: boolean): void {
  const reason = isOutOfMemory(error) ? "memory" : isSyntax ? "syntax" : "exception";
  fail(reason, typeOfError(error), messageOf(error), tracebackOf(error), lineOf(error));
}

function fail(reason: string, type: string, message: string, traceback: string, line: number) {
  const header = stringify({
    __proto__: null,
    status: "failed",
    reason,
    type: cut(type, maxTypeLength),
    message: cut(message, maxMessageLength),
    traceback: cut(traceback, maxTracebackLength),
    line,
  });
  host.r(header, "");
}

function isOutOfMemory(error: unknown): boolean {
  return isInstance(error, NewInternalError) && (error as Error).message === "out of memory";
}

function joined(notes: readonly string[], remarks: readonly string[]): string[] {
  const all: string[] = [];
  for (let index = 0; index < notes.length; index++) append(all, notes[index] as string);
  for (let index = 0; index < remarks.length; index++) {
    if (remarks[index] !== "") append(all, remarks[index] as string);
  }
  return all;
}

/** A list of our own that says to `stringify` what it holds, whatever a program has taught all lists. */
function bare(list: readonly unknown[]): object {
  return setPrototypeOf(list, null) as object;
}

interface Written {
  /** Undefined where the value is not JSON. */
  readonly json: string | undefined;
  readonly conversions: readonly Conversion[];
  readonly notes: readonly string[];
  readonly isTooLarge: boolean;
}

/** JSON text of a value, null for none, or why there is none. */
function jsonOf(value: unknown, maxJsonBytes: number): Written {
  const none = { json: undefined, conversions: [], notes: [], isTooLarge: false };
  if (value === undefined) return { ...none, json: "null" };
  try {
    // No value takes less than a byte.
    return { ...none, ...resultToJson(value, maxJsonBytes) };
  } catch (error) {
    if (isOutOfMemory(error)) throw error;
    if (isInstance(error, TooMany)) return { ...none, isTooLarge: true };
    const why = isInstance(error, NotJson) ? "" : "reading it failed: "; // a getter of the program's
    const note = `the value has no JSON: ${why}${messageOf(error)}`;
    return { ...none, notes: [cut(note, maxNoteLength)] };
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const isSimple = (typeof value !== "object" || value === null) && typeof value !== "function";
  if (isSimple) return toText(value);
  try {
    return inspect(value);
  } catch (error) {
    if (isOutOfMemory(error)) throw error;
    return `<${typeOf(value)}: it cannot be shown>`; // a getter of the program's
  }
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? constructorName(value) : typeof value;
}

function constructorName(value: object): string {
  try {
    const prototype = getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
    const name = prototype?.constructor?.name;
    return typeof name === "string" && name !== "" ? name : "Object";
  } catch {
    return "Object"; // a trap of the program's
  }
}

/** The error's own name; that of its class where it has none. */
function typeOfError(error: unknown): string {
  if (!isInstance(error, NewError)) return typeOf(error);
  const { name } = safely(error) as { name?: unknown };
  const hasName = typeof name === "string" && name !== "" && name !== "Error";
  return hasName ? name : constructorName(error as object);
}

function safely(error: unknown): { name?: unknown; message?: unknown; stack?: unknown } {
  try {
    const { name, message, stack } = error as Error;
    return { name, message, stack };
  } catch {
    return {}; // a getter of the program's
  }
}

function messageOf(error: unknown): string {
  if (!isInstance(error, NewError)) return textOf(error);
  const { message } = safely(error);
  try {
    return message === undefined ? "" : toText(message);
  } catch {
    return ""; // no text can be made of it
  }
}

function tracebackOf(error: unknown): string {
  if (!isInstance(error, NewError))
    return `Uncaught ${typeof error === "string" ? inspect(error) : textOf(error)}`;
  try {
    return inspect(error);
  } catch {
    return safeHeading(error); // a getter of the program's
  }
}

function lineOf(error: unknown): number {
  const { stack } = safely(isInstance(error, NewError) ? error : undefined);
  return typeof stack === "string" ? innermost(stack).line : 0;
}

function cut(text: string, length: number): string {
  return toWellFormed(slice(text, 0, length));
}
