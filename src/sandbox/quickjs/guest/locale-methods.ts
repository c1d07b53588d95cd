import { ask, compare, keyOf, localesOf, number, numeric } from "./intl.ts";
import { optionsOf } from "./intl-options.ts";
import {
  apply,
  dateTime,
  floor,
  getPrototypeOf,
  hidden,
  NewSet,
  setAdd,
  setDelete,
  setHas,
  toText,
  typedArrayLength,
  unboxBigint,
  unboxNumber,
} from "./primordials.ts";

type ToLocale = (this: unknown, locales?: unknown, options?: unknown) => string;

/** `toLocaleString` of numbers, by what takes one out of its object. */
function ofNumbers(unbox: (value: unknown) => unknown): ToLocale {
  const kind = "NumberFormat";
  return function (locales, given) {
    const args = [numeric(unbox(this))];
    const options = optionsOf(kind, given);
    return ask({ kind, method: "format", locales, options, args }) as string;
  };
}

/** `toLocaleString` of lists, by what says how long one is. */
function ofLists(lengthOf: (list: ArrayLike<unknown>) => number): ToLocale {
  return function (locales, options) {
    const list = this as ArrayLike<unknown>;
    const length = lengthOf(list);
    if (setHas(open, list)) return ""; // it contains itself
    setAdd(open, list);
    try {
      let text = "";
      for (let index = 0; index < length; index++) {
        if (index > 0) text += ",";
        const item = list[index] as { toLocaleString: ToLocale } | null | undefined;
        if (item !== null && item !== undefined) text += `${item.toLocaleString(locales, options)}`;
      }
      return text;
    } finally {
      setDelete(open, list);
    }
  };
}

/** The lists whose text is being made. */
const open = new NewSet<unknown>();

let lastLocale: string | undefined;
let lastKey = keyOf(undefined, undefined);

/** The key of what is asked for; of one locale it is remembered, as sorting asks for it again and again. */
function keyFor(locales: unknown, options: unknown): string {
  const isLocale = locales === undefined || typeof locales === "string";
  if (!isLocale || options !== undefined)
    return keyOf(localesOf(locales), optionsOf("Collator", options));
  if (locales !== lastLocale) {
    lastKey = keyOf(locales, undefined);
    lastLocale = locales;
  }
  return lastKey;
}

/** Puts methods that depend on a locale in their place. For the prelude, once. */
export function defineLocaleMethods(): void {
  const typedArray = getPrototypeOf(Uint8Array.prototype) as object;
  const toLocaleStrings: readonly [object, ToLocale][] = [
    [Number.prototype, ofNumbers(unboxNumber)],
    [BigInt.prototype, ofNumbers(unboxBigint)],
    [Array.prototype, ofLists((list) => floor(+list.length))],
    [typedArray, ofLists(typedArrayLength)],
  ];
  for (const [prototype, method] of toLocaleStrings) {
    hidden(method, "name", "toLocaleString");
    hidden(prototype, "toLocaleString", method);
  }
  for (const method of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) {
    hidden(Date.prototype, method, function (this: Date, locales?: unknown, given?: unknown) {
      const options = optionsOf("DateTimeFormat", given);
      return ask({ kind: "Date", method, locales, options, args: [number(dateTime(this))] });
    });
  }
  hidden(
    String.prototype,
    "localeCompare",
    function (this: unknown, other: unknown, locales?: unknown, options?: unknown) {
      return compare(keyFor(locales, options), toText(this), toText(other));
    },
  );
  for (const method of ["toLocaleUpperCase", "toLocaleLowerCase"] as const) {
    const native = String.prototype[method];
    hidden(String.prototype, method, function (this: unknown, locales?: unknown) {
      const text = toText(this);
      if (locales === undefined) return apply(native, text, []);
      return ask({ kind: "String", method, locales, args: [text] });
    });
  }
}
