// One way for text in and text out. No object of the engine's own is handed over, and what is asked for is
// found in a table.
const maxBytes = 64 * 1024;
const maxFormatters = 64;
const maxExponent = 999;
const locale = "en-US";
const timeZone = "UTC";

/** What a guest asks for: JSON, so that whatever it holds has no code and nobody's objects in it. */
interface Request {
  readonly kind: string;
  readonly method: string;
  readonly locales?: string | string[];
  readonly options?: Readonly<Record<string, string | number | boolean>>;
  readonly args?: readonly Argument[];
}

type Argument = string | readonly string[] | { readonly n: string } | { readonly b: string };

type Formatter = Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** The formatters that programs may have, and their methods. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  NumberFormat: ["format", "formatToParts", "formatRange", "formatRangeToParts"],
  DateTimeFormat: ["format", "formatToParts", "formatRange", "formatRangeToParts"],
  Collator: ["compare"],
  PluralRules: ["select", "selectRange"],
  RelativeTimeFormat: ["format", "formatToParts"],
  ListFormat: ["format", "formatToParts"],
  DisplayNames: ["of"],
  Segmenter: ["segment"],
};
/** Those that take the text of a number, and all of its digits. */
const numericKinds = ["NumberFormat", "PluralRules"];
const dateMethods = ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"] as const;

/** What programs ask of ICU, each in a message of text: the formatters of one program, at most 64 at once. */
export class Formatters {
  readonly #made = new Map<string, unknown>();
  /** What orders texts: sorting asks for the same again and again. */
  #collator: Formatter | undefined;

  /** Answers a request of JSON text with JSON text: `{ value }`, or `{ type, error }` of what was thrown. */
  ask(text: string): string {
    try {
      if (text.length > maxBytes) throw new RangeError(`Intl takes ${maxBytes} bytes a call`);
      const answer = JSON.stringify({ value: this.#answer(JSON.parse(text) as Request) });
      if (answer.length > maxBytes) throw new RangeError(`Intl gives ${maxBytes} bytes a call`);
      return answer;
    } catch (error) {
      const type = error instanceof RangeError ? "RangeError" : "TypeError";
      return JSON.stringify({ type, error: (error as Error).message });
    }
  }

  /** -1, 0 or 1: how two texts are ordered, by the collator that `ask` was last asked to use. */
  compare(one: string, other: string): number {
    this.#collator ??= this.#formatter({ kind: "Collator", method: "use" });
    return this.#collator.compare?.(one, other) as number;
  }

  #answer(request: Request): unknown {
    const { kind, method } = request;
    if (kind === "Date") return dateText(request);
    if (kind === "String") return caseText(request);
    if (kind === "Intl") return ofAll(request);
    const methods = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (methods === undefined) throw new TypeError(`Intl.${kind} is not here`);
    if (method === "supportedLocalesOf") {
      return Intl.NumberFormat.supportedLocalesOf(request.locales ?? []);
    }
    const formatter = this.#formatter(request);
    if (method === "") return null;
    if (kind === "Collator" && method === "use") {
      this.#collator = formatter;
      return null;
    }
    if (method === "resolvedOptions") return formatter.resolvedOptions?.();
    if (!methods.includes(method)) throw new TypeError(`Intl.${kind} has no ${method}`);
    const args = (request.args ?? []).map(toArgument);
    if (numericKinds.includes(kind)) args.forEach(checkExponent);
    const value = formatter[method]?.(...args);
    return kind === "Segmenter" ? boundaries(value as Iterable<Intl.SegmentData>) : value;
  }

  #formatter({ kind, locales = locale, options = {} }: Request): Formatter {
    const key = JSON.stringify([kind, locales, options]);
    let made = this.#made.get(key);
    if (made === undefined) {
      const Maker = Intl[kind as "NumberFormat"] as unknown as new (...args: unknown[]) => object;
      made = new Maker(locales, kind === "DateTimeFormat" ? { timeZone, ...options } : options);
      const [oldest] = this.#made.keys();
      if (this.#made.size >= maxFormatters && oldest !== undefined) this.#made.delete(oldest);
      this.#made.set(key, made);
    }
    return made as Formatter;
  }
}

/** ICU writes out each zero of 1e-999999999, for most of a minute: nothing can end it meanwhile. */
function checkExponent(given: unknown): void {
  if (typeof given !== "string") return;
  const exponent = /^\s*[+-]?[\d.]+e-(\d+)\s*$/i.exec(given)?.[1];
  if (Number(exponent) > maxExponent) {
    throw new RangeError(`Intl takes exponents down to -${maxExponent}`);
  }
}

/** Without the texts, which the guest has. */
function boundaries(segments: Iterable<Intl.SegmentData>): unknown[] {
  return Array.from(segments, ({ index, isWordLike }) =>
    isWordLike === undefined ? [index] : [index, isWordLike],
  );
}

function toArgument(given: Argument): unknown {
  if (typeof given === "string" || !("n" in given || "b" in given)) return given;
  return "n" in given ? Number(given.n) : BigInt(given.b);
}

function dateText({ method, locales = locale, options = {}, args = [] }: Request): string {
  const name = dateMethods.find((each) => each === method);
  if (name === undefined) throw new TypeError(`Date has no ${method}`);
  return new Date(Number(toArgument(args[0] ?? "")))[name](locales, { timeZone, ...options });
}

function caseText({ method, locales = locale, args = [] }: Request): string {
  const text = String(args[0] ?? "");
  return method === "toLocaleUpperCase"
    ? text.toLocaleUpperCase(locales)
    : text.toLocaleLowerCase(locales);
}

function ofAll({ method, locales, args = [] }: Request): readonly string[] {
  if (method === "getCanonicalLocales") return Intl.getCanonicalLocales(locales);
  if (method === "supportedValuesOf") return Intl.supportedValuesOf(String(args[0]) as "calendar");
  throw new TypeError(`Intl.${method} is not here`);
}
