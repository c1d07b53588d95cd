import { openCallNames } from "./calls.ts";
import { host } from "./host.ts";
import {
  apply,
  charCodeAt,
  evaluate,
  functionText,
  includes,
  indexOf,
  lastIndexOf,
  NewError,
  slice,
  startsWith,
} from "./primordials.ts";
import { reportError, reportValue } from "./report.ts";
import { hasTimers, timerCount } from "./timers.ts";
import { releaseHeld } from "./web.ts";

/** How a program was made to run. */
export interface ProgramForm {
  /** The text that was evaluated, where it may end with an arrow function; empty where it cannot. */
  readonly code: string;
  /** It stands in a function, since it has a `return` at its top level. */
  readonly isFunction: boolean;
  /** Its last expression calls the function that it consists of. */
  readonly isCall: boolean;
  readonly maxResultBytes: number;
  /** What the outcome says of all this; may be empty. */
  readonly note: string;
}

type Program = { readonly form: ProgramForm } & (
  | { readonly state: "runs" | "reads" }
  /** It came to its end: `value` counts unless it has set a `result`, which is read when nothing is left. */
  | { readonly state: "has ended"; readonly value: unknown; readonly readResult: () => unknown }
);

/** What stands at the end of a program in a function, as engine/run.ts writes it. */
const readerText = "()=>typeof result==='undefined'?void 0:result";
const readGlobal = () => evaluate("typeof result === 'undefined' ? void 0 : result");
const rests = { waits: 0, busy: 1, hasValue: 2 };
const maxNamed = 10;
let program: Program | undefined;

/** Waits for what a program was evaluated to, and reports its value or its error. */
export function begin(completion: Promise<{ value: unknown }>, form: ProgramForm): void {
  program = { state: "runs", form };
  void guarded(async () => {
    const { value, isReturned, readResult } = await settled((await completion).value, form);
    if (isReturned) report(value, form, "");
    else program = { state: "has ended", form, value, readResult };
  });
}

/** Nothing is left to do at once. Ends a program for which nothing will ever be; gives a state of rest. */
export function rest(): number {
  releaseHeld();
  if (program === undefined) return rests.waits;
  const waits = timerCount() > 0 || openCallNames().length > 0;
  if (waits) return program.state === "has ended" ? rests.hasValue : rests.waits;
  if (program.state !== "has ended") {
    // One that keeps no program from its end may settle what it awaits all the same.
    if (hasTimers()) return rests.waits;
    reportError(stuck(), false);
    return rests.waits;
  }
  conclude(program, "");
  return rests.busy;
}

/** The wall limit is near: a program that has its value ends with it, and says what it had left open. */
export function late(): void {
  if (program?.state === "has ended") conclude(program, leftOpen());
}

function conclude(
  { form, value, readResult }: Extract<Program, { state: "has ended" }>,
  dropped: string,
): void {
  program = { state: "reads", form };
  void guarded(async () => {
    const result = readResult();
    report(result === undefined ? value : await result, form, dropped);
  });
}

function stuck(): Error {
  const fault = "the program awaits a promise that nothing can settle any more";
  const error = new NewError(`${fault}: no timer and no tool call is open`);
  error.stack = `Error: ${error.message}`;
  return error;
}

function leftOpen(): string {
  const timers = timerCount();
  const names = openCallNames();
  let text = "the wall limit was near, and what nobody had awaited was dropped: ";
  if (timers > 0) text += timers === 1 ? "1 timer" : `${timers} timers`;
  if (timers > 0 && names.length > 0) text += ", ";
  for (let index = 0; index < names.length && index < maxNamed; index++) {
    text += `${index === 0 ? "a call of " : ", "}${names[index]}`;
  }
  return names.length > maxNamed ? `${text} and ${names.length - maxNamed} more` : text;
}

async function guarded(step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    host.m();
    reportError(error, false);
  }
}

function report(value: unknown, { maxResultBytes, note }: ProgramForm, dropped: string): void {
  reportValue(value, maxResultBytes, [note, dropped]);
}

interface Settled {
  readonly value: unknown;
  /** It was returned, which ends a program at once. */
  readonly isReturned: boolean;
  readonly readResult: () => unknown;
}

/** What the program returns, or its last expression; an arrow function there is called. */
async function settled(completion: unknown, form: ProgramForm): Promise<Settled> {
  const { code, isFunction, isCall } = form;
  if (isFunction && typeof completion === "function") {
    const reader = completion as () => unknown;
    if (functionText(reader) === readerText) {
      return { value: undefined, isReturned: false, readResult: reader };
    }
  }
  const callee = completion as (given: object) => unknown;
  const isArrow = typeof completion === "function" && isLastArrow(callee as () => unknown, code);
  const isCalled = isArrow && callee.length < 2;
  const value = await (isCalled ? apply(callee, undefined, [given()]) : completion);
  const isFunctionsEnd = isCalled || isCall;
  const isReturned =
    value !== undefined ? isFunction || isFunctionsEnd : isFunction && !isFunctionsEnd;
  return { value, isReturned, readResult: readGlobal };
}

/** What the function that is the program is given. */
function given(): object {
  return evaluate("({ tools, context, config })") as object;
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
