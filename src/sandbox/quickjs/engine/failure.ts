import { firstBytes } from "../../../shared/capped-text.ts";
import { missingHint, syntaxHint } from "./hints.ts";
import type { Source } from "./source.ts";

const maxTextBytes = 256 * 1024;
const maxMessageBytes = 8 * 1024;
const maxTracebackBytes = 32 * 1024;
const maxTypeBytes = 256;
const maxNoteBytes = 1024;
const maxNotes = 20;
const maxConversions = 200;
const maxLine = 2 ** 31;
const programPlace = /<program>:(\d+):(\d+)/g;

/** What a guest's report says, in the form that the host takes. */
export function toReport(text: string, author: AuthorText): object {
  const header = JSON.parse(text) as Record<string, unknown>;
  if (header.status === "completed") {
    return {
      status: "completed",
      text: cut(header.text, maxTextBytes),
      type: cut(header.type, maxTypeBytes),
      hasJson: header.hasJson === true,
      conversions: listOf(header.conversions, maxConversions).map((item) => {
        const { path, type } = Object(item) as { path?: unknown; type?: unknown };
        return { path: cut(path, maxNoteBytes), type: cut(type, maxTypeBytes) };
      }),
      notes: listOf(header.notes, maxNotes).map((note) => cut(note, maxNoteBytes)),
    };
  }
  const traceback = String(header.traceback);
  const failure = {
    reason: String(header.reason),
    type: String(header.type),
    message: String(header.message),
    traceback,
    line: authorLine(lineIn(header.line), traceback, author),
  };
  return toFailure(failure, author);
}

function listOf(value: unknown, maxLength: number): unknown[] {
  return Array.isArray(value) ? value.slice(0, maxLength) : [];
}

/** A line, 0 where there is none: a program can write anything into the stack of its error. */
function lineIn(line: unknown): number {
  return Number.isInteger(line) && Number(line) > 0 && Number(line) <= maxLine ? Number(line) : 0;
}

/** The author's line for one of the program's: its column stands in the traceback. */
function authorLine(line: number, traceback: string, { source }: AuthorText): number {
  if (line === 0 || source === undefined) return line;
  const column = new RegExp(`<program>:${line}:(\\d+)`).exec(traceback)?.[1];
  return source.authorPlace(line, Number(column ?? 1))[0];
}

/** The author's text, and what was made of it. */
export interface AuthorText {
  readonly code: string;
  readonly language: string;
  readonly source: Source | undefined;
}

/** How a program failed. */
export interface Failure {
  readonly reason: string;
  readonly type: string;
  readonly message: string;
  readonly traceback: string;
  readonly line: number;
}

/** The report of a failure, with what to write instead where that is known, and the author's places. */
export function toFailure(failure: Failure, { code, language, source }: AuthorText): object {
  const { reason, type, line } = failure;
  const hint =
    reason === "syntax"
      ? syntaxHint(lineOf(code, line), language)
      : missingHint(type, failure.message);
  const said = type === "TypeError" ? namingCallee(failure, source) : failure.message;
  const message = hint === "" ? said : `${said}: ${hint}`;
  const traceback = failure.traceback
    .replace(failure.message, () => message)
    .replace(programPlace, (place, row, column) => {
      if (source === undefined) return place;
      return `<program>:${source.authorPlace(Number(row), Number(column)).join(":")}`;
    });
  return {
    status: "failed",
    reason,
    type: cut(type, maxTypeBytes),
    message: cut(message, maxMessageBytes),
    traceback: cut(traceback, maxTracebackBytes),
    line,
  };
}

/** QuickJS only says "not a function": the text before the place of the call says which. */
function namingCallee({ message, traceback }: Failure, source: Source | undefined): string {
  if (message !== "not a function" || source === undefined) return message;
  const [, line = "", column = ""] = /<program>:(\d+):(\d+)/.exec(traceback) ?? [];
  const text = lineOf(source.code, Number(line));
  const at = Number(column) - 1;
  // The place is that of the last dot or bracket, or just before a plain name.
  const before = /[\w$.?[\]'"]*$/.exec(text.slice(0, at))?.[0] ?? "";
  const after =
    /^(?:\??\.?[\w$#]+|\[[^\]]{1,64}\]|\s+[\w$]+(?=\())?/.exec(text.slice(at))?.[0] ?? "";
  const isWhole = before.split("[").length === before.split("]").length && /^[\w$]/.test(before);
  const name =
    isWhole || before === "" ? `${before}${after.trimStart()}` : `(intermediate value)${after}`;
  return /^[\w$(]/.test(name) && name.length <= 128 ? `${name} is not a function` : message;
}

function lineOf(code: string, line: number): string {
  let start = 0;
  for (let row = 1; row < line; row++) {
    start = code.indexOf("\n", start) + 1;
    if (start === 0) return "";
  }
  const end = code.indexOf("\n", start);
  return code.slice(start, end < 0 ? code.length : end);
}

function cut(text: unknown, maxBytes: number): string {
  const whole = String(text).toWellFormed();
  return Buffer.byteLength(whole) <= maxBytes ? whole : `${firstBytes(whole, maxBytes - 3)}\u2026`;
}
