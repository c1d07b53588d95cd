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

/** `console`, as in Node without its inspector; a table is printed as `log` prints it. */
const methods = {
  log,
  info: print(stdout),
  debug: print(stdout),
  warn: print(stderr),
  error,
  table: print(stdout),
  dir(value?: unknown): void {
    write(stdout, inspect(value));
  },
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
  group(...values: unknown[]): void {
    if (values.length > 0) apply(log, undefined, values);
    indent += "  ";
  },
  groupEnd(): void {
    indent = slice(indent, 2);
  },
  time(label: unknown = "default"): void {
    mapSet(times, toText(label), now());
  },
  timeLog(label: unknown = "default"): void {
    const name = toText(label);
    write(stdout, `${name}: ${now() - ((mapGet(times, name) as number | undefined) ?? now())}ms`);
  },
  timeEnd(label: unknown = "default"): void {
    methods.timeLog(label);
    mapDelete(times, toText(label));
  },
};

/** Puts `console` in its place. For the prelude, once. */
export function defineConsole(): void {
  hidden(globalThis, "console", methods);
}
