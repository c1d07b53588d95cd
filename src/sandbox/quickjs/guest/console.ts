import { callerFrames } from "./errors.ts";
import { format, inspect } from "./format.ts";
import { host } from "./host.ts";
import {
  apply,
  hidden,
  indexOf,
  mapDelete,
  mapGet,
  mapSet,
  NewMap,
  now,
  slice,
  toText,
  toWellFormed,
} from "./primordials.ts";
import { table } from "./table.ts";

const stdout = 1;
const stderr = 2;

const counts = new NewMap<string, number>();
const times = new NewMap<string, number>();
let indent = "";

function write(channel: number, text: string): void {
  host.o(channel, toWellFormed(indent === "" ? `${text}\n` : `${indented(text)}\n`));
}

function indented(text: string): string {
  let result = indent;
  let rest = text;
  for (let end = indexOf(rest, "\n"); end >= 0; end = indexOf(rest, "\n")) {
    result += `${slice(rest, 0, end + 1)}${indent}`;
    rest = slice(rest, end + 1);
  }
  return result + rest;
}

const print =
  (channel: number) =>
  (...values: unknown[]): void =>
    write(channel, apply(format, undefined, values) as string);
const log = print(stdout);
const error = print(stderr);

const warn = print(stderr);

function group(...values: unknown[]): void {
  if (values.length > 0) apply(log, undefined, values);
  indent += "  ";
}

function elapsed(label: unknown, method: string): string | undefined {
  const name = toText(label);
  const start = mapGet(times, name) as number | undefined;
  if (start !== undefined) return `${name}: ${now() - start}ms`;
  warn(`Warning: No such label '${name}' for console.${method}()`);
  return undefined;
}

/** `console`, as in Node without its inspector. */
const methods = {
  log,
  info: print(stdout),
  debug: print(stdout),
  warn: print(stderr),
  error,
  table(data?: unknown, only?: unknown): void {
    const drawn = table(data, only);
    if (drawn === undefined) log(data);
    else write(stdout, drawn);
  },
  dir(value?: unknown, options?: object): void {
    write(stdout, inspect(value, { customInspect: false, ...options }));
  },
  dirxml: log,
  trace(...values: unknown[]): void {
    const text = apply(format, undefined, values) as string;
    write(stderr, `Trace${text === "" ? "" : `: ${text}`}${callerFrames()}`);
  },
  assert(isTrue?: unknown, ...values: unknown[]): void {
    if (isTrue) return;
    const text = apply(format, undefined, values) as string;
    write(stderr, `Assertion failed${text === "" ? "" : `: ${text}`}`);
  },
  count(label: unknown = "default"): void {
    const name = toText(label);
    const count = ((mapGet(counts, name) as number | undefined) ?? 0) + 1;
    mapSet(counts, name, count);
    write(stdout, `${name}: ${count}`);
  },
  countReset(label: unknown = "default"): void {
    mapDelete(counts, toText(label));
  },
  group,
  groupCollapsed: group,
  groupEnd(): void {
    indent = slice(indent, 2);
  },
  time(label: unknown = "default"): void {
    mapSet(times, toText(label), now());
  },
  timeLog(label: unknown = "default", ...values: unknown[]): void {
    const text = elapsed(label, "timeLog");
    if (text === undefined) return;
    const rest = values.length > 0 ? ` ${apply(format, undefined, values)}` : "";
    write(stdout, text + rest);
  },
  timeEnd(label: unknown = "default"): void {
    const text = elapsed(label, "timeEnd");
    if (text === undefined) return;
    write(stdout, text);
    mapDelete(times, toText(label));
  },
};

/** Puts `console` in its place. For the prelude, once. */
export function defineConsole(): void {
  hidden(globalThis, "console", methods);
}
