import { create, isFiniteNumber, isListed, toText } from "./primordials.ts";

const digits = [
  "minimumIntegerDigits",
  "minimumFractionDigits",
  "maximumFractionDigits",
  "minimumSignificantDigits",
  "maximumSignificantDigits",
  "roundingIncrement",
];
const rounding = ["roundingMode", "roundingPriority", "trailingZeroDisplay"];

/** The options that each kind of formatter reads, as ECMA-402 names them. */
const optionNames: Readonly<Record<string, readonly string[]>> = {
  NumberFormat: [
    ...["localeMatcher", "numberingSystem", "style", "currency", "currencyDisplay", "currencySign"],
    ...["unit", "unitDisplay", "notation", ...digits, ...rounding],
    ...["compactDisplay", "useGrouping", "signDisplay"],
  ],
  DateTimeFormat: [
    ...["localeMatcher", "calendar", "numberingSystem", "hour12", "hourCycle", "timeZone"],
    ...["weekday", "era", "year", "month", "day", "dayPeriod", "hour", "minute", "second"],
    ...["fractionalSecondDigits", "timeZoneName", "formatMatcher", "dateStyle", "timeStyle"],
  ],
  Collator: [
    ...["usage", "localeMatcher", "collation", "numeric", "caseFirst", "sensitivity"],
    "ignorePunctuation",
  ],
  PluralRules: ["localeMatcher", "type", "notation", "compactDisplay", ...digits, ...rounding],
  RelativeTimeFormat: ["localeMatcher", "numberingSystem", "style", "numeric"],
  ListFormat: ["localeMatcher", "type", "style"],
  DisplayNames: ["localeMatcher", "style", "type", "fallback", "languageDisplay"],
  Segmenter: ["localeMatcher", "granularity"],
};

const numbers = [...digits, "fractionalSecondDigits"];

/** What a formatter is asked for. Options that are inherited, or getters, count like any. */
export function optionsOf(kind: string, options: unknown): object | undefined {
  if (options === undefined || options === null) return undefined;
  const plain = create(null) as Record<string, unknown>;
  const names = optionNames[kind] as readonly string[];
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) plain[name] = optionOf(kind, name, value);
  }
  return plain;
}

/** A value as the type that the option has: what it is given as would not always cross as JSON. */
function optionOf(kind: string, name: string, value: unknown): unknown {
  if (isListed(numbers, name)) {
    const number = +(value as number);
    return isFiniteNumber(number) ? number : toText(number);
  }
  const isBoolean =
    name === "hour12" ||
    name === "ignorePunctuation" ||
    (name === "numeric" && kind === "Collator");
  if (isBoolean) return !!value;
  if (name === "useGrouping" && (!value || value === true)) return !!value;
  return toText(value);
}
