import {
  apply,
  charCodeAt,
  defineProperty,
  endsWith,
  functionText,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hidden,
  includes,
  indexOf,
  lastIndexOf,
  NewError,
  slice,
  startsWith,
  toNumber,
  toText,
} from "./primordials.ts";

/** The name under which the program's own frames are shown. */
const programName = "<program>";

/** A tool call that has no value; `kind` says why, `tool` which. */
export class ToolError extends NewError {
  readonly tool: string;
  readonly kind: string;

  constructor(message: string, tool = "", kind = "exception") {
    super(message);
    hidden(this, "name", "ToolError");
    this.tool = tool;
    this.kind = kind;
  }
}

interface Accessor {
  get(this: unknown): unknown;
  set(this: unknown, value: unknown): void;
}

const accessor = (target: object, name: string) =>
  getOwnPropertyDescriptor(target, name) as Accessor;
const nativeStack = accessor(NewError.prototype, "stack");
const nativePrepare = accessor(NewError, "prepareStackTrace");
const nativeLimit = accessor(NewError, "stackTraceLimit");
const maxFrames = 20;
const frameStart = "    at ";

/** Columns by which the first line of the program is moved to the right of the author's. */
let shift = 0;
/** The author's last line; what is below it has been added. */
let lastLine = Number.POSITIVE_INFINITY;

/** Says by how many columns the program's first line is moved, and which is its last. */
export function placeProgram(columns: number, lines: number): void {
  shift = columns;
  lastLine = lines;
}

/** A place in the program. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * The program's frames of a stack as QuickJS writes it, one a line, as Node writes them: without those
 * of the error's own constructors, the last of which is named.
 */
function ownFrames(stack: string, constructorName = ""): string {
  let maker = constructorName;
  let frames = "";
  let rest = stack;
  while (rest !== "") {
    const end = indexOf(rest, "\n");
    const line = end < 0 ? rest : slice(rest, 0, end);
    rest = end < 0 ? "" : slice(rest, end + 1);
    const frame = ownFrame(line);
    if (frame !== undefined) frames += `\n${frame}`;
    if (maker === "" || !startsWith(line, `${frameStart}${maker} (`)) continue;
    frames = "";
    maker = "";
  }
  return frames;
}

/** `    at name (<program>:1:2)` with the author's column; undefined for a frame that is not the program's. */
function ownFrame(line: string): string | undefined {
  const at = lastIndexOf(line, `${programName}:`);
  if (at < 0 || !startsWith(line, frameStart)) return undefined;
  const before = slice(line, frameStart.length, at);
  const place = placeAt(line, at);
  if (place.line > lastLine) return undefined;
  const where = `${programName}:${place.line}:${place.column}`;
  const isNamed = endsWith(before, " (") && !startsWith(before, "<");
  return isNamed ? `${frameStart}${before}${where})` : `${frameStart}${where}`;
}

function placeAt(line: string, at: number): Place {
  const from = at + programName.length + 1;
  const colon = indexOf(line, ":", from);
  const row = toNumber(slice(line, from, colon)) || 0;
  let end = colon + 1;
  while (end < line.length && charCodeAt(line, end) >= 48 && charCodeAt(line, end) <= 57) end++;
  const column = toNumber(slice(line, colon + 1, end)) || 0;
  return { line: row, column: row === 1 && column > shift ? column - shift : column };
}

/** The innermost place of the program in a stack that `ownFrames` has written; 0:0 where there is none. */
export function innermost(frames: string): Place {
  const at = indexOf(frames, `${programName}:`);
  if (at < 0) return { line: 0, column: 0 };
  const before = shift;
  shift = 0;
  const place = placeAt(frames, at);
  shift = before;
  return place;
}

/** The program's frames of whoever calls, whatever the program has made of stacks. */
export function callerFrames(): string {
  const prepare = apply(nativePrepare.get, NewError, []);
  const limit = apply(nativeLimit.get, NewError, []);
  apply(nativePrepare.set, NewError, [undefined]);
  apply(nativeLimit.set, NewError, [maxFrames]);
  const stack = apply(nativeStack.get, new NewError(), []);
  apply(nativePrepare.set, NewError, [prepare]);
  apply(nativeLimit.set, NewError, [limit]);
  return typeof stack === "string" ? ownFrames(stack) : "";
}

/** Gives an error the frames of another place. */
export function standAt(error: Error, frames: string): void {
  hidden(error, "stack", heading(error) + frames);
}

/** `heading`, or nothing where the program's own getters fail. */
export function safeHeading(error: unknown): string {
  try {
    return heading(error);
  } catch {
    return ""; // a getter of the program's
  }
}

/** `Type: message`, as the first line of a stack in Node. */
export function heading(error: unknown): string {
  const { name, message } = error as { name?: unknown; message?: unknown };
  const type = name === undefined ? "Error" : toText(name);
  const text = message === undefined ? "" : toText(message);
  if (text === "") return type;
  return type === "" ? text : `${type}: ${text}`;
}

/** The name of the program's class that made an error; empty for one of the language's own. */
function makerOf(error: unknown): string {
  try {
    const { constructor: maker } = error as { constructor?: unknown };
    if (typeof maker !== "function") return "";
    const isOwn = !includes(functionText(maker as () => void), "[native code]");
    return isOwn ? toText(maker.name) : "";
  } catch {
    return ""; // a getter of the program's
  }
}

/** Makes `stack` read as in Node: a heading, and the program's frames. For the prelude, once. */
export function showStacks(): void {
  defineProperty(NewError.prototype, "stack", {
    configurable: true,
    enumerable: false,
    get(this: unknown) {
      const stack = apply(nativeStack.get, this, []);
      const isNative = typeof stack === "string" && (stack === "" || startsWith(stack, frameStart));
      return isNative ? safeHeading(this) + ownFrames(stack, makerOf(this)) : stack;
    },
    set(this: unknown, value: unknown) {
      apply(nativeStack.set, this, [value]);
    },
  });
  // Programs could get at the prelude's own functions through the frames that an error has passed.
  const errors = NewError as unknown as { prepareStackTrace: unknown };
  let frame: object | undefined;
  errors.prepareStackTrace = (_error: unknown, frames: object[]) => {
    frame = frames[0];
    return "";
  };
  void new NewError().stack;
  errors.prepareStackTrace = undefined;
  const prototype = frame && (getPrototypeOf(frame) as { getFunction?: unknown });
  if (prototype?.getFunction === undefined) throw new NewError("no frame could be had");
  delete prototype.getFunction;
}
