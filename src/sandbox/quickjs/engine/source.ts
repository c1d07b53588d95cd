import { SourceMap, stripTypeScriptTypes } from "node:module";
import { asScript } from "./form.ts";
import { type ShortCode, shortCode } from "./short-code.ts";

/** A program as QuickJS takes it. */
export interface Source {
  readonly code: string;
  /** An expression to evaluate at the end, which calls the function that is the program; may be empty. */
  readonly call: string;
  /** What the outcome says of how it was made to run; may be empty. */
  readonly note: string;
  /** Line and column of the author's text, both from 1, for those of `code`. */
  readonly authorPlace: (line: number, column: number) => readonly [line: number, column: number];
}

/** A program whose types cannot be taken away. */
export class SourceError extends Error {
  readonly line: number;
  /** The parser itself has failed, and is not to be used again in this thread. */
  readonly isFatal: boolean;

  constructor(message: string, line: number, isFatal = false) {
    super(message);
    this.name = "SyntaxError";
    this.line = line;
    this.isFatal = isFatal;
  }
}

// A `return` at the top level is refused, but not in a function; on the same line, so that lines stay.
const opening = "async()=>{";
const closing = "\n}";
const tooLong = "a line is too long for the parser of TypeScript: write shorter lines";
const mapMark = "\n//# sourceMappingURL=data:application/json;base64,";

// The parser's memory is its thread's, outside any limit. Measured at the worst: so much for each byte,
// and for each line its length squared, since it tells of every error in a line with the whole line.
const parserBytesPerByte = 450;
const mostForLines = 512 * 1024 * 1024;

/** The most memory that the parser of TypeScript may take for a program, bytes. */
export function parserUse(code: string): number {
  return parserBytesPerByte * code.length + useOfLines(code).bytes;
}

function useOfLines(code: string): { bytes: number; longest: number } {
  let bytes = 0;
  let longest = { length: 0, line: 0 };
  for (const [index, { length }] of code.split("\n").entries()) {
    bytes += length ** 2;
    if (length > longest.length) longest = { length, line: index + 1 };
  }
  return { bytes, longest: longest.line };
}

/** Throws a SourceError where the parser might take more than it may for the lines of a program. */
function checkLines(code: string): void {
  const { bytes, longest } = useOfLines(code);
  if (bytes > mostForLines) throw new SourceError(tooLong, longest);
}

/** JavaScript as it is, where it is a script. */
export function javascriptSource(code: string): Source {
  return scripted(withoutHashBang(code), (line, column) => [line, column]);
}

/** A comment as well, and one that may stand in a function. */
function withoutHashBang(code: string): string {
  return code.startsWith("#!") ? `//${code.slice(2)}` : code;
}

function scripted(code: string, authorPlace: Source["authorPlace"]): Source {
  return { code, call: "", note: "", ...asScript(code), authorPlace };
}

/** TypeScript that is ready for the parser. */
export interface Parsable {
  readonly code: string;
  /** The same with its long texts. */
  readonly short: ShortCode;
}

/** Makes a program ready for the parser. Throws a SourceError where a line is too long for it. */
export function parsable(author: string): Parsable {
  const code = withoutHashBang(author);
  const short = shortCode(code);
  checkLines(short.code);
  return { code, short };
}

/**
 * TypeScript without its types: every line and column stays, but for a program with enums and the like,
 * which is written anew with a map of its places. Throws a SourceError.
 */
export function typescriptSource({ code, short }: Parsable): Source {
  try {
    return javascriptSource(short.restore(stripTypeScriptTypes(short.code, { mode: "strip" })));
  } catch (error) {
    if (isReturnError(error)) return strippedFunction(code, short);
    if (isUnsupported(error)) return transformed(code, "");
    throw toSourceError(error);
  }
}

// What can be exported; it can stand in a function without the word.
const exported =
  /^([ \t]*)export(?=[ \t]+(?:async|function|const|let|var|class|abstract|interface|type|enum|declare)\b)/gm;

function strippedFunction(code: string, short: ShortCode): Source {
  try {
    const plain = short.code.replace(exported, "$1      ");
    const stripped = stripTypeScriptTypes(opening + plain + closing, { mode: "strip" });
    return javascriptSource(short.restore(stripped.slice(opening.length, -closing.length)));
  } catch (error) {
    if (isUnsupported(error)) return transformed(code, opening);
    throw toSourceError(error);
  }
}

/** The program with its enums, namespaces and parameter properties as plain JavaScript. */
function transformed(code: string, prefix: string): Source {
  // Here a text may come more than once in what is written: it has to be there itself.
  checkLines(code);
  try {
    const text = prefix === "" ? code : prefix + code + closing;
    const options = { mode: "transform", sourceMap: true } as const;
    const output = stripTypeScriptTypes(text, options);
    const at = output.lastIndexOf(mapMark);
    const encoded = output.slice(at + mapMark.length);
    const map = new SourceMap(JSON.parse(Buffer.from(encoded, "base64").toString("utf8")));
    return scripted(output.slice(0, at), (line, column) => {
      const entry = map.findEntry(line - 1, column - 1);
      if (!("originalLine" in entry)) return [line, column];
      const shift = entry.originalLine === 0 ? prefix.length : 0;
      return [entry.originalLine + 1, Math.max(1, entry.originalColumn + 1 - shift)];
    });
  } catch (error) {
    if (prefix === "" && isReturnError(error)) return transformed(code, opening);
    throw toSourceError(error);
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}

function isReturnError(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Return statement is not allowed");
}

function isUnsupported(error: unknown): boolean {
  return codeOf(error) === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX";
}

function toSourceError(error: unknown): SourceError {
  if (!(error instanceof Error)) return new SourceError("the program does not parse", 0, true);
  if (!codeOf(error).endsWith("_TYPESCRIPT_SYNTAX")) {
    return new SourceError("the program is nested too deep to be parsed", 0, true);
  }
  // Node writes the place before the error: ":2", the line, a mark below it.
  const line = /^[^\n]*:(\d+)\n/.exec(error.stack ?? "")?.[1];
  return new SourceError(error.message, Number(line ?? 0));
}
