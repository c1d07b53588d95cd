import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { collect } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

/** Replaces what lists and functions can do, and what a program may put other things in the place of. */
const change = `const replaced = () => { throw new Error("replaced"); };
for (const name of Object.getOwnPropertyNames(Array.prototype)) {
  if (name !== "length" && name !== "constructor") Array.prototype[name] = replaced;
}
Array.prototype[Symbol.iterator] = Array.prototype.toJSON = replaced;
Function.prototype.call = Function.prototype.apply = Function.prototype.bind = replaced;
EventTarget.prototype.addEventListener = EventTarget.prototype.dispatchEvent = replaced;
Object.prototype.error = "replaced";
Object.create = Object.keys = Date.now = performance.now = replaced;`;

describe("what quickjs has beside the language, in a program that has changed the prototypes", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  it.each([
    ["new Intl.NumberFormat(['de']).format(1234.5)", "1.234,5"],
    ["new Intl.NumberFormat('en').formatRange(1, 2)", "1–2"],
    ["new Intl.DateTimeFormat('en').format(new Date(0))", "1/1/1970"],
    ["typeof new Intl.DateTimeFormat('en').format()", "string"],
    ["new Intl.PluralRules('en', { type: 'ordinal' }).select(2)", "two"],
    ["new Intl.RelativeTimeFormat('en').format(-2, 'day')", "2 days ago"],
    ["new Intl.ListFormat('en').format(['a', 'b'])", "a and b"],
    ["new Intl.DisplayNames('en', { type: 'region' }).of('DE')", "Germany"],
    ["new Intl.Segmenter('en').segment('ab')[1].segment", "b"],
    ["new Intl.Collator(['sv']).compare('z', 'ä')", -1],
    ["'a'.localeCompare('b', ['de'], { numeric: true })", -1],
    ["Float64Array.of(1234.5).toLocaleString('de')", "1.234,5"],
    ["(0.5).toLocaleString(['de'], { style: 'percent' })", "50\u00a0%"],
    ["new Date(0).toLocaleDateString(['de'])", "1.1.1970"],
    ["'i'.toLocaleUpperCase(['tr'])", "İ"],
    ["String(new URLSearchParams([['a', 'b']]))", "a=b"],
  ])("gives the same value for %s", async (code, value) => {
    const { result } = await collect(executor, `${change}\n${code}`);
    expect(result).toMatchObject({ value: { json: JSON.stringify(value) } });
  });

  it("aborts any signal of several, and tells each listener of it", async () => {
    const code = `const { addEventListener, removeEventListener } = EventTarget.prototype;
${change}
const controller = new AbortController();
const any = AbortSignal.any([new AbortController().signal, controller.signal]);
let heard = "";
const stays = () => { heard += "stays "; };
const goes = () => { heard += "goes "; };
any.onabort = () => { heard += "on "; };
for (let times = 0; times < 2; times++) Reflect.apply(addEventListener, any, ["abort", stays]);
Reflect.apply(addEventListener, any, ["abort", goes]);
Reflect.apply(removeEventListener, any, ["abort", goes]);
controller.abort("why");
controller.abort("again");
heard + any.reason + AbortSignal.any([any]).reason`;
    const { result } = await collect(executor, code);
    expect(result).toMatchObject({ value: { json: '"on stays whywhy"' } });
  });
});
