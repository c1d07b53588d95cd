import { host } from "./host.ts";
import {
  charCodeAt,
  evaluate,
  functionText,
  includes,
  indexOf,
  lastIndexOf,
  slice,
  startsWith,
} from "./primordials.ts";
import { reportError, reportValue } from "./report.ts";

/** How a program was made to run. */
export interface ProgramForm {
  /** The text that was evaluated, where it may end with an arrow function; empty where it cannot. */
  readonly code: string;
  /** It stands in a function, since it has a `return` at its top level. */
  readonly isFunction: boolean;
  readonly maxResultBytes: number;
}

/** Waits for the program's end, and reports its value or its error. */
export async function conclude(
  completion: Promise<{ value: unknown }>,
  form: ProgramForm,
): Promise<void> {
  let value: unknown;
  try {
    value = await finalValue((await completion).value, form);
  } catch (error) {
    host.m();
    return reportError(error, false);
  }
  try {
    reportValue(value, form.maxResultBytes);
  } catch (error) {
    host.m();
    reportError(error, false);
  }
}

/** What the program returns, or `result`, or its last expression; an arrow function there is called. */
async function finalValue(
  completion: unknown,
  { code, isFunction }: ProgramForm,
): Promise<unknown> {
  const isArrow =
    typeof completion === "function" && isLastArrow(completion as () => unknown, code);
  const value = await (isArrow ? (completion as () => unknown)() : completion);
  if ((isArrow || isFunction) && value !== undefined) return value;
  const result = evaluate("typeof result === 'undefined' ? void 0 : result");
  return result === undefined ? value : await result;
}

/** Whether the program's text ends with this function, and it is an arrow function. */
function isLastArrow(callee: () => unknown, code: string): boolean {
  const text = functionText(callee);
  if (!includes(text, "=>") || startsWith(text, "function") || startsWith(text, "class"))
    return false;
  if (startsWith(text, "async function")) return false;
  const at = lastIndexOf(code, text);
  return at >= 0 && isEmpty(slice(code, at + text.length));
}

/** Whether nothing follows but space, comments, semicolons and closing parentheses. */
function isEmpty(code: string): boolean {
  for (let at = 0; at < code.length; at++) {
    if (startsWith(slice(code, at, at + 2), "//")) {
      const end = indexOf(code, "\n", at);
      if (end < 0) return true;
      at = end;
    } else if (startsWith(slice(code, at, at + 2), "/*")) {
      const end = indexOf(code, "*/", at + 2);
      if (end < 0) return false;
      at = end + 1;
    } else {
      const char = charCodeAt(code, at);
      // Space and line ends, ")" and ";".
      if (char > 32 && char !== 41 && char !== 59) return false;
    }
  }
  return true;
}
