import { host } from "./host.ts";
import { optionsOf } from "./intl-options.ts";
import { type Boundary, segmentsOf } from "./intl-segments.ts";
import {
  append,
  apply,
  create,
  dateTime,
  defineProperty,
  hasOwn,
  hidden,
  is,
  isArray,
  isInstance,
  itemsOf,
  NewDate,
  NewProxy,
  NewRangeError,
  NewTypeError,
  NewWeakMap,
  now,
  ordinaryPrimitive,
  parse,
  setPrototypeOf,
  stringify,
  toPrimitive,
  toStringTag,
  toText,
  weakGet,
  weakSet,
} from "./primordials.ts";

interface Asked {
  readonly kind: string;
  readonly method: string;
  readonly locales?: unknown;
  readonly options?: object | undefined;
  readonly args?: readonly unknown[];
}

/** A list without methods: a `toJSON` that a program has given to all lists is not its. */
const bare = <T>(list: T): T => setPrototypeOf(list, null) as T;

/** Asks the engine's own ICU: text goes in, text comes out. */
export function ask({ kind, method, locales, options, args }: Asked): unknown {
  const request = stringify({
    __proto__: null,
    kind,
    method,
    locales: localesOf(locales),
    options,
    args: args === undefined ? undefined : bare(args),
  });
  const answer = parse(host.i(request)) as Record<string, unknown>;
  if (!hasOwn(answer, "error")) return answer.value;
  throw new (answer.type === "RangeError" ? NewRangeError : NewTypeError)(toText(answer.error));
}

export function localesOf(locales: unknown): unknown {
  if (locales === undefined || typeof locales === "string") return locales;
  if (!isArray(locales)) throw new NewTypeError("locales are text, or a list of texts");
  return mapped(locales, toText);
}

/** A number as text that keeps all of it; a list as texts. */
function argument(value: unknown): unknown {
  if (typeof value === "bigint") return { __proto__: null, b: toText(value) };
  if (isInstance(value, NewDate)) return number(dateTime(value as Date));
  if (typeof value === "number") return number(value);
  return typeof value === "string" ? value : toText(value);
}

export const number = (value: number) => ({
  __proto__: null,
  n: is(value, -0) ? "-0" : toText(value),
});

export const numeric = (value: unknown) =>
  typeof value === "bigint" ? argument(value) : number(+(value as number));
/** What a number is formatted from: text, which may have more digits than a number keeps, or a number. */
function mathematical(value: unknown): unknown {
  const given = primitive(value);
  return typeof given === "string" ? given : numeric(given);
}

function primitive(value: unknown): unknown {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return value;
  const convert = (value as { [toPrimitive]?: unknown })[toPrimitive];
  if (convert === undefined || convert === null) return ordinaryPrimitive(value, "number");
  return apply(convert as () => unknown, value, ["number"]);
}

const time = (value: unknown) =>
  value === undefined
    ? number(now())
    : isInstance(value, NewDate)
      ? argument(value)
      : number(+(value as number));

function mapped(list: readonly unknown[], convert: (value: unknown) => unknown): unknown[] {
  const made = bare<unknown[]>([]);
  for (let index = 0; index < list.length; index++) append(made, convert(list[index]));
  return made;
}

/** How the arguments of a formatter's methods cross. */
const formatters: Readonly<Record<string, (args: unknown[]) => unknown[]>> = {
  NumberFormat: (args) => mapped(args, mathematical),
  DateTimeFormat: (args) => (args.length === 0 ? [time(undefined)] : mapped(args, time)),
  PluralRules: (args) => mapped(args, numeric),
  RelativeTimeFormat: (args) => [numeric(args[0]), toText(args[1])],
  ListFormat: (args) => [mapped(itemsOf(args[0] as Iterable<unknown>), toText)],
  DisplayNames: (args) => [toText(args[0])],
  Segmenter: (args) => [toText(args[0])],
};

const methods: Readonly<Record<string, readonly string[]>> = {
  NumberFormat: ["formatToParts", "formatRange", "formatRangeToParts"],
  DateTimeFormat: ["formatToParts", "formatRange", "formatRangeToParts"],
  PluralRules: ["select", "selectRange"],
  RelativeTimeFormat: ["format", "formatToParts"],
  ListFormat: ["format", "formatToParts"],
  DisplayNames: ["of"],
  Segmenter: ["segment"],
};

type Options = Pick<Asked, "kind" | "locales" | "options">;

/** What each formatter was made with. */
const made = new NewWeakMap<object, Options>();

function askedOf(kind: string, self: unknown): Options {
  const asked = weakGet(made, self as object) as Options | undefined;
  if (asked?.kind !== kind) throw new NewTypeError(`this is not an Intl.${kind}`);
  return asked;
}

/** A class of `Intl`, and what gives it a method. */
function intlClass(kind: string) {
  function Made(this: object | undefined, locales?: unknown, options?: unknown) {
    const self = new.target === undefined ? create(Made.prototype) : (this as object);
    const asked = { kind, locales: localesOf(locales), options: optionsOf(kind, options) };
    ask({ ...asked, method: "" });
    weakSet(made, self, asked);
    return self;
  }
  hidden(Made, "name", kind);
  hidden(Made, "supportedLocalesOf", (locales: unknown) =>
    ask({ kind, method: "supportedLocalesOf", locales }),
  );
  const define = (name: string, call: (asked: Options, args: unknown[]) => unknown) => {
    const method = function (this: unknown, ...args: unknown[]) {
      return call(askedOf(kind, this), args);
    };
    hidden(method, "name", name);
    hidden(Made.prototype, name, method);
  };
  define("resolvedOptions", (asked) => ask({ ...asked, method: "resolvedOptions" }));
  const tag = { __proto__: null, value: `Intl.${kind}`, configurable: true };
  defineProperty(Made.prototype, toStringTag, tag as PropertyDescriptor);
  return { Made, define };
}

/** A method that is handed to `map` and `sort`: of each formatter it is a function of its own. */
function defineBound(
  { Made }: ReturnType<typeof intlClass>,
  name: string,
  bind: (asked: Options) => (...args: unknown[]) => unknown,
): void {
  const kind = Made.name;
  const bound = new NewWeakMap<object, unknown>();
  const get = function (this: object) {
    const asked = askedOf(kind, this);
    if (weakGet(bound, this) === undefined) weakSet(bound, this, bind(asked));
    return weakGet(bound, this);
  };
  const accessor = { __proto__: null, get, configurable: true };
  defineProperty(Made.prototype, name, accessor as PropertyDescriptor);
}

function formatter(kind: string, toArgs: (args: unknown[]) => unknown[]): object {
  const intl = intlClass(kind);
  const call = (asked: Options, method: string, given: unknown[]): unknown => {
    const args = toArgs(given);
    const value = ask({ ...asked, method, args });
    return kind === "Segmenter" ? segmentsOf(args[0] as string, value as Boundary[]) : value;
  };
  for (const method of methods[kind] ?? []) {
    const isRange = method.includes("Range");
    intl.define(method, (asked, args) => {
      if (isRange && (args[0] === undefined || args[1] === undefined)) {
        throw new NewTypeError(`${method} takes a start and an end`);
      }
      return call(asked, method, args);
    });
  }
  if (kind === "NumberFormat" || kind === "DateTimeFormat") {
    defineBound(intl, "format", (asked) => (value) => call(asked, "format", [value]));
  }
  return intl.Made;
}

function collator(): object {
  const intl = intlClass("Collator");
  defineBound(intl, "compare", ({ locales, options }) => {
    const key = keyOf(locales, options);
    return (one, other) => compare(key, toText(one), toText(other));
  });
  return intl.Made;
}

/** Locales and options as one text, for `compare`. */
export const keyOf = (locales: unknown, options: unknown) =>
  stringify({ __proto__: null, locales, options });

const maxLength = 64 * 1024;
/** That of no locales and no options, as the host has it. */
let usedKey = keyOf(undefined, undefined);

/** How two texts are ordered. Only where its key is another than the last time is the host asked for a collator. */
export function compare(key: string, one: string, other: string): number {
  if (one.length + other.length > maxLength) {
    throw new NewRangeError(`Intl takes ${maxLength} bytes a call`);
  }
  if (key !== usedKey) {
    const { locales, options } = parse(key) as { locales?: unknown; options?: object };
    ask({ kind: "Collator", method: "use", locales, options });
    usedKey = key;
  }
  return host.c(one, other);
}

/** Puts `Intl` in its place. For the prelude, once. */
export function defineIntl(): void {
  const intl = Object.create(null) as Record<string | symbol, unknown>;
  for (const kind of Object.keys(formatters)) {
    intl[kind] = formatter(kind, formatters[kind] as (args: unknown[]) => unknown[]);
  }
  intl.Collator = collator();
  intl.getCanonicalLocales = (locales: unknown) =>
    ask({ kind: "Intl", method: "getCanonicalLocales", locales });
  intl.supportedValuesOf = (name: unknown) =>
    ask({ kind: "Intl", method: "supportedValuesOf", args: [toText(name)] });
  intl[Symbol.toStringTag] = "Intl";
  const guarded = new NewProxy(intl, {
    __proto__: null,
    get(target: Record<string | symbol, unknown>, name: string | symbol) {
      if (typeof name === "symbol" || name in target) return target[name];
      throw new NewTypeError(`Intl.${name} is not here`);
    },
  } as ProxyHandler<Record<string | symbol, unknown>>);
  hidden(globalThis, "Intl", guarded);
}
