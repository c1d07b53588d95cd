import { defineAbort } from "./abort.ts";
import { failCall, limitCalls, settleCall } from "./calls.ts";
import { defineConsole } from "./console.ts";
import { guardEncoding } from "./encoding.ts";
import { placeProgram, showStacks, ToolError } from "./errors.ts";
import { fromJson } from "./from-json.ts";
import { defineIntl } from "./intl.ts";
import { defineLocaleMethods } from "./locale-methods.ts";
import { apply, freeze, hidden, isArray, keys } from "./primordials.ts";
import { begin, late, rest } from "./program.ts";
import { showPromises } from "./promises.ts";
import { defineCrypto, seedRandom } from "./random.ts";
import { reportError } from "./report.ts";
import { defineSearchParams } from "./search-params.ts";
import { fireNext } from "./timers.ts";
import { createTools, type DeclaredTool } from "./tools.ts";
import { showUrls } from "./urls.ts";
import { defineGlobals, startClock } from "./web.ts";

/** What a program is given. */
interface Given {
  readonly context: unknown;
  readonly config: unknown;
  readonly tools: readonly DeclaredTool[];
  readonly hasMoreTools: boolean;
  readonly maxOpenCalls: number;
}

// The only way in from the host; what each takes is in engine/guest-instance.ts.
const entries = {
  __proto__: null,
  begin(seedLow: number, seedHigh: number, json: string, isLong: number, maxArguments: number) {
    const given = fromJson(json, isLong === 1) as Given;
    seedRandom(seedLow, seedHigh);
    startClock();
    limitCalls(maxArguments, given.maxOpenCalls);
    hidden(globalThis, "context", frozen(given.context));
    hidden(globalThis, "config", frozen(given.config));
    hidden(globalThis, "tools", createTools(given.tools, given.hasMoreTools));
  },
  run(
    completion: Promise<{ value: unknown }>,
    code: string,
    form: number,
    maxResultBytes: number,
    note: string,
  ) {
    const isFunction = (form & 1) !== 0;
    const isCall = (form & 2) !== 0;
    begin(completion, { code, isFunction, isCall, maxResultBytes, note });
  },
  rest,
  late,
  place: placeProgram,
  answer: (call: number, json: string, isLong: number) => settleCall(call, json, isLong === 1),
  fail: failCall,
  wake: () => (fireNext() ? 1 : 0),
  error: (error: unknown, isSyntax: number) => reportError(error, isSyntax === 1),
};

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  const names = isArray(value) ? undefined : keys(value);
  const length = isArray(value) ? value.length : (names?.length ?? 0);
  for (let index = 0; index < length; index++) {
    frozen((value as Record<string | number, unknown>)[names?.[index] ?? index]);
  }
  return freeze(value);
}

showStacks();
defineConsole();
defineCrypto();
defineGlobals();
defineAbort();
defineIntl();
defineLocaleMethods();
showPromises();
defineSearchParams();
guardEncoding();
showUrls();
hidden(globalThis, "ToolError", ToolError);

const global = globalThis as unknown as { enter: unknown };
global.enter = (entry: keyof typeof entries, ...args: unknown[]) =>
  apply(entries[entry] as (...given: unknown[]) => unknown, undefined, args);
