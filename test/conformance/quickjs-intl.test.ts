import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { collect } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

describe("locales in quickjs", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  it.each([
    ["(1234567.891).toLocaleString()", "1,234,567.891"],
    ["(0.256).toLocaleString('de-DE', { style: 'percent' })", "26\u00a0%"],
    ["(1e6).toLocaleString('en-IN')", "10,00,000"],
    [
      "123456789012345678901234567890n.toLocaleString('de-DE')",
      "123.456.789.012.345.678.901.234.567.890",
    ],
    ["NaN.toLocaleString() + (-0).toLocaleString()", "NaN-0"],
    ["[1000, 2].toLocaleString()", "1,000,2"],
    [
      "[1234.5, new Date(0), null, , [0.5, [7n]], 'x'].toLocaleString('de-DE', { style: 'percent', timeZone: 'UTC' })",
      "123.450\u00a0%,1.1.1970, 00:00:00,,,50\u00a0%,700\u00a0%,x",
    ],
    [
      "new Float64Array([1234.5, NaN]).toLocaleString('de-DE', { minimumFractionDigits: 2 })",
      "1.234,50,NaN",
    ],
    ["Array.prototype.toLocaleString.call({ length: 2.5, 0: 1000, 1: 2 }, 'de')", "1.000,2"],
    ["((list) => { list.push(list, list); return list; })([1]).toLocaleString()", "1,,"],
    ["[{ toLocaleString: (...given) => given }].toLocaleString('de', 5)", "de,5"],
    [
      "new Intl.NumberFormat('ja-JP', { style: 'currency', currency: 'JPY' }).format(5000)",
      "\uffe55,000",
    ],
    ["[1, 2000].map(Intl.NumberFormat('de').format).join(' ')", "1 2.000"],
    [
      "new Intl.NumberFormat('en', { notation: 'compact' }).formatToParts(1200).map((part) => part.type).join()",
      "integer,decimal,fraction,compact",
    ],
    ["new Date(0).toLocaleString()", "1/1/1970, 12:00:00 AM"],
    ["new Date(0).toLocaleDateString('de-DE')", "1.1.1970"],
    ["new Date(0).toLocaleTimeString('en-US', { timeZone: 'Asia/Tokyo' })", "9:00:00 AM"],
    ["new Date(0).toLocaleDateString('ja-JP', { dateStyle: 'full' })", "1970年1月1日木曜日"],
    ["new Intl.DateTimeFormat('en-GB').format(new Date(86_400_000))", "02/01/1970"],
    ["new Intl.DateTimeFormat().resolvedOptions().timeZone", "UTC"],
    ["new Intl.NumberFormat().resolvedOptions().locale", "en-US"],
    ["['z', 'ä', 'a', 'Z'].sort((a, b) => a.localeCompare(b, 'de')).join('')", "aäzZ"],
    ["['z', 'ä', 'a'].sort(new Intl.Collator('sv').compare).join('')", "azä"],
    [
      "['a10', 'a2'].sort(new Intl.Collator(undefined, { numeric: true }).compare).join()",
      "a2,a10",
    ],
    ["'a'.localeCompare('B') + '' + 'a'.localeCompare('b', 'sv')", "-1-1"],
    ["new Intl.PluralRules('en', { type: 'ordinal' }).select(2)", "two"],
    ["new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-1, 'day')", "yesterday"],
    ["new Intl.ListFormat('en').format(['a', 'b', 'c'])", "a, b, and c"],
    ["new Intl.DisplayNames('en', { type: 'region' }).of('DE')", "Germany"],
    [
      "Array.from(new Intl.Segmenter('en', { granularity: 'word' }).segment('Hi you'), (each) => each.segment).join('|')",
      "Hi| |you",
    ],
    ["'i'.toLocaleUpperCase('tr') + 'I'.toLocaleLowerCase()", "İi"],
    [
      "Intl.getCanonicalLocales('EN-us').join() + Intl.NumberFormat.supportedLocalesOf(['de', 'xx']).join()",
      "en-USde",
    ],
    ["new Intl.NumberFormat('en').format('9007199254740993')", "9,007,199,254,740,993"],
    [
      "new Intl.NumberFormat('en').format({ valueOf: () => '12345678901234567890.5' })",
      "12,345,678,901,234,567,890.5",
    ],
    ["new Intl.NumberFormat('en').format({ [Symbol.toPrimitive]: (hint) => hint })", "NaN"],
    [
      "[' 12 ', '0x1f', '', 'x', null, true, Object(5n), new Date(7), [8]].map(new Intl.NumberFormat('en').format).join()",
      "12,31,0,NaN,0,1,5,7,8",
    ],
    [
      "new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format('1e-10')",
      "0.0000000001",
    ],
    [
      "new Intl.NumberFormat('en').formatRange('9007199254740993', '9007199254740995')",
      "9,007,199,254,740,993–9,007,199,254,740,995",
    ],
    ["new Intl.NumberFormat('de', Object.create({ style: 'percent' })).format(0.5)", "50\u00a0%"],
    ["(1.5).toLocaleString('en', new (class { get style() { return 'percent'; } })())", "150%"],
    [
      "new Date(0).toLocaleDateString('de', Object.create({ dateStyle: 'full' }))",
      "Donnerstag, 1. Januar 1970",
    ],
    [
      "new Intl.DateTimeFormat('en', new (class { get year() { return 'numeric'; } })()).format(0)",
      "1970",
    ],
    ["'2'.localeCompare('10', 'en', Object.create({ numeric: 1 })) + ''", "-1"],
    ["new Intl.NumberFormat(undefined, { maximumFractionDigits: null }).format(1.55)", "2"],
    ["new Intl.NumberFormat('en', { minimumFractionDigits: '2' }).format(1)", "1.00"],
    [
      "[null, 0, '', false, true, 'always'].map((useGrouping) => (12345).toLocaleString('en', { useGrouping })).join(' ')",
      "12345 12345 12345 12345 12,345 12,345",
    ],
    [
      "[0, null, '', 'x'].map((hour12) => new Date(0).toLocaleTimeString('en', { hour12 }).endsWith('AM')).join()",
      "false,false,false,true",
    ],
    [
      "[-1, 0, 2, 3, NaN, 6, '5'].map((place) => { const found = new Intl.Segmenter('en', { granularity: 'word' }).segment('Hi you').containing(place); return found && [found.segment, found.index, found.input, found.isWordLike].join('/'); }).join()",
      ",Hi/0/Hi you/true, /2/Hi you/false,you/3/Hi you/true,Hi/0/Hi you/true,,you/3/Hi you/true",
    ],
    [
      "JSON.stringify(new Intl.Segmenter('en').segment('a👍🏽').containing(3))",
      '{"segment":"👍🏽","index":1,"input":"a👍🏽"}',
    ],
    [
      "['NumberFormat', 'DateTimeFormat', 'Collator', 'PluralRules', 'RelativeTimeFormat', 'ListFormat', 'Segmenter'].map((kind) => Object.prototype.toString.call(new Intl[kind]()).slice(8, -1)).join()",
      "Intl.NumberFormat,Intl.DateTimeFormat,Intl.Collator,Intl.PluralRules,Intl.RelativeTimeFormat,Intl.ListFormat,Intl.Segmenter",
    ],
    [
      "Intl.NumberFormat.prototype.formatRangeToParts.call(new Intl.NumberFormat('en'), 1, 2).map((part) => part.source).join()",
      "startRange,shared,endRange",
    ],
    [
      "Reflect.ownKeys(new Intl.NumberFormat()).length + ' ' + Reflect.ownKeys(Intl.DateTimeFormat.prototype).map(String).sort().join()",
      "0 Symbol(Symbol.toStringTag),constructor,format,formatRange,formatRangeToParts,formatToParts,resolvedOptions",
    ],
    ["((format) => String(format.format === format.format))(new Intl.NumberFormat())", "true"],
    [
      "new (class extends Intl.NumberFormat { twice(value) { return this.format(2 * value); } })('de').twice(1000)",
      "2.000",
    ],
  ])("gives for %s what Node gives", async (code, text) => {
    expect((await collect(executor, code)).result).toMatchObject({
      value: { json: JSON.stringify(text) },
    });
    // Where this machine's Node lives in UTC and en-US, it is asked as well.
    const isLike = new Intl.DateTimeFormat().resolvedOptions();
    if (isLike.timeZone === "UTC" && isLike.locale === "en-US")
      expect(new Function(`return ${code}`)()).toBe(text);
  });

  it("sorts any texts as Node does", async () => {
    const sorted = `(compare) => {
  const parts = ["a", "B", "ä", "Z", "z", "10", "2", " ", "-", "é", "ß", ""];
  const texts = [];
  for (const one of parts) for (const two of parts) for (const three of parts) texts.push(one + two + three);
  return texts.sort(compare).join();
}`;
    const byIcu = new Intl.Collator("en-US").compare;
    const json = JSON.stringify(new Function(`return ${sorted}`)()(byIcu));
    const { result } = await collect(executor, `(${sorted})((a, b) => a.localeCompare(b))`);
    expect(result).toMatchObject({ value: { json } });
  });

  it("orders texts by the locale of each comparison, whatever was asked for before", async () => {
    const code = `const swedish = new Intl.Collator("sv");
const signs = [];
for (const locale of ["sv", undefined, "not a locale", ["sv"], "de", "sv", "sv", undefined]) {
  try { signs.push("z".localeCompare("ä", locale)); } catch { signs.push(0); }
  signs.push(swedish.compare("z", "ä"), "z".localeCompare("ä"), "2".localeCompare("10", "en", { numeric: true }));
}
signs.join(" ")`;
    const others = "-1 1 -1";
    const json = JSON.stringify(
      [-1, 1, 0, -1, 1, -1, -1, 1].map((sign) => `${sign} ${others}`).join(" "),
    );
    expect((await collect(executor, code)).result).toMatchObject({ value: { json } });
  });

  it.each([
    [
      "new Intl.NumberFormat('not a locale')",
      "RangeError",
      "Incorrect locale information provided",
    ],
    [
      "'a'.localeCompare('b', 'not a locale')",
      "RangeError",
      "Incorrect locale information provided",
    ],
    [
      "new Intl.NumberFormat('en', { style: 'currency' })",
      "TypeError",
      "Currency code is required with currency style.",
    ],
    [
      "new Date(0).toLocaleDateString('en', { dateStyle: 'huge' })",
      "RangeError",
      "Value huge out of range",
    ],
    ["new Intl.Locale('en')", "TypeError", "Intl.Locale is not here"],
    ["'x'.repeat(70_000).localeCompare('y')", "RangeError", "Intl takes 65536 bytes a call"],
    [
      "new Intl.Segmenter().segment('x'.repeat(70_000))",
      "RangeError",
      "Intl takes 65536 bytes a call",
    ],
    [
      "new Intl.NumberFormat('en', { maximumFractionDigits: NaN })",
      "RangeError",
      "maximumFractionDigits value is out of range",
    ],
    [
      "new Intl.NumberFormat('en', { maximumSignificantDigits: 21 }).format('1e-999999999')",
      "RangeError",
      "Intl takes exponents down to -999",
    ],
    [
      "new Intl.DateTimeFormat('en').formatRange(0, undefined)",
      "TypeError",
      "formatRange takes a start and an end",
    ],
    [
      "Intl.NumberFormat.prototype.formatToParts.call(new Intl.DateTimeFormat(), 1)",
      "TypeError",
      "this is not an Intl.NumberFormat",
    ],
  ])("says what is wrong with %s", async (code, type, message) => {
    const { result } = await collect(executor, code);
    expect(result).toMatchObject({ status: "failed", error: { type } });
    expect(result).toHaveProperty("error.message", expect.stringContaining(message));
  });

  it("reads each option that Node reads", async () => {
    const code = `Object.fromEntries(
  ["NumberFormat", "DateTimeFormat", "Collator", "PluralRules", "RelativeTimeFormat", "ListFormat", "DisplayNames", "Segmenter"].map((kind) => {
    const names = new Set();
    const get = (_, name) => void names.add(name) ?? (kind === "DisplayNames" && name === "type" ? "region" : undefined);
    new Intl[kind]("en", new Proxy({}, { get }));
    return [kind, [...names]];
  }))`;
    const byNode: Record<string, string[]> = new Function(`return ${code}`)();
    const { result } = await collect(executor, code);
    expect(result.status).toBe("completed");
    const names = JSON.parse((result as { value: { json: string } }).value.json);
    for (const kind of Object.keys(byNode))
      expect(names[kind]).toEqual(expect.arrayContaining(byNode[kind] ?? []));
  });

  it("segments a text of thousands of segments", async () => {
    const code = `const text = "ab ".repeat(2000);
const segments = new Intl.Segmenter("en", { granularity: "word" }).segment(text);
[segments.length, segments.containing(5999).segment, Array.from(segments, (each) => each.segment).join("") === text]`;
    expect((await collect(executor, code)).result).toMatchObject({
      value: { json: '[4000," ",true]' },
    });
  });

  it("makes any number of formatters, of which it keeps a bounded number", async () => {
    const code = `let last = "";
for (let digits = 0; digits <= 100; digits++) last = (1).toLocaleString("en", { minimumFractionDigits: digits });
const first = new Intl.NumberFormat("en", { minimumFractionDigits: 1 });
[last.length, first.format(1), (1).toLocaleString("en", { minimumFractionDigits: 1 })]`;
    expect((await collect(executor, code)).result).toMatchObject({
      value: { json: '[102,"1.0","1.0"]' },
    });
  });
});
