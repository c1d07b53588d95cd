import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { jsonOf } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

// One program for each edition of the language, of what that edition added.
const editions: readonly (readonly [edition: number, code: string, value: unknown])[] = [
  [
    2018,
    "const { a, ...rest } = { a: 1, b: 2 }; return /(?<y>\\d{4})/u.exec('in 2018').groups.y + rest.b;",
    "20182",
  ],
  [
    2019,
    "return Object.fromEntries([[1, [2]], [3, [4]]].flatMap(([k, v]) => [[k, v.flat()]]));",
    { 1: [2], 3: [4] },
  ],
  [
    2020,
    "const none = null; return [none?.a ?? 5, (await Promise.allSettled([Promise.reject(1)]))[0].status, [...'aba'.matchAll(/a/g)].length, 2n ** 64n > 1n];",
    [5, "rejected", 2, true],
  ],
  [
    2021,
    "let x = null; x ??= 1_000; return ['a-a'.replaceAll('a', 'b'), await Promise.any([Promise.reject(1), 2]), x, new WeakRef({}) !== null];",
    ["b-b", 2, 1000, true],
  ],
  [
    2022,
    "class A { #p = 1; static s = 2; static { A.t = 3; } static has(o) { return #p in o; } } return [[1, 2].at(-1), A.s + A.t, A.has(new A()), Object.hasOwn({ a: 1 }, 'a'), new Error('x', { cause: 4 }).cause];",
    [2, 5, true, true, 4],
  ],
  [
    2023,
    "const list = [3, 1, 2]; return [list.toSorted(), list.toReversed(), list.with(0, 9), list.toSpliced(0, 1), list.findLast((n) => n > 1), list.findLastIndex((n) => n > 5), list];",
    [[1, 2, 3], [2, 1, 3], [9, 1, 2], [1, 2], 2, -1, [3, 1, 2]],
  ],
];

describe("the language of quickjs", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  it.each(editions)("is that of ECMAScript %i", async (_edition, code, value) => {
    expect(await jsonOf(executor, code, { language: "javascript" })).toEqual(value);
  });

  it("calls 9,000 functions within each other, in a program that waits as well", async () => {
    const code =
      "const depth = (n) => (n === 0 ? 0 : 1 + depth(n - 1));\nawait null;\nreturn depth(9000);";
    expect(await jsonOf(executor, code, { language: "javascript" })).toBe(9000);
  });

  it.each([
    ["a program's text", "eval('('.repeat(1e5))"],
    ["JSON", "JSON.parse('['.repeat(1e6))"],
    ["calls", "(function f() { f(); })()"],
  ])("lets a program catch that %s is too deep", async (_title, code) => {
    const caught = `try { ${code}; } catch (error) { return error.name; }`;
    expect(await jsonOf(executor, caught, { language: "javascript" })).toBe("RangeError");
  });
});
