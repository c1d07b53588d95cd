import type { ValueCase } from "./programs.ts";

/** What only JavaScript has to say about values. */
export const javascriptValues: readonly ValueCase[] = [
  {
    title: "gives what `return` gives",
    code: "return 2 + 2;",
    json: "4",
    text: "4",
    type: "number",
  },
  {
    title: "gives the value of an async arrow function",
    code: "async () => { return 6; }",
    json: "6",
  },
  { title: "gives the value of an arrow function", code: "() => 7", json: "7" },
  {
    title: "gives `result`, however it is declared",
    code: "const result = [1, 2];",
    json: "[1,2]",
    type: "Array",
  },
  {
    title: "gives `result` that was assigned without a declaration",
    code: "result = 5;",
    json: "5",
  },
  { title: "gives the last expression", code: "const x = 20;\nx + 1", json: "21" },
  { title: "prefers `result` to the last expression", code: "var result = 1;\n2", json: "1" },
  { title: "gives null without a value", code: "const x = 1;", json: "null", text: "undefined" },
  { title: "gives null for an empty program", code: "// nothing", json: "null" },
  {
    title: "awaits at the top level",
    code: "const x = await Promise.resolve(5);\nreturn x;",
    json: "5",
  },
  { title: "awaits a promise as the result", code: "return Promise.resolve(8);", json: "8" },
  { title: "awaits a promise as the last expression", code: "Promise.resolve(9)", json: "9" },
  {
    title: "runs timers in the order of their times",
    code: "const out = [];\nconst later = (ms) => new Promise((resolve) => setTimeout(() => resolve(out.push(ms)), ms));\nawait Promise.all([later(30), later(5)]);\nreturn out;",
    json: "[5,30]",
  },
  {
    title: "does not run a timer that was cleared",
    code: "let value = 1;\nclearTimeout(setTimeout(() => { value = 2; }, 5));\nawait new Promise((resolve) => setTimeout(resolve, 20));\nreturn value;",
    json: "1",
  },
  { title: "gives null for NaN", code: "return NaN;", json: "null", text: "NaN" },
  { title: "gives null for undefined in a list", code: "return [undefined];", json: "[null]" },
  {
    title: "gives text only for a Map of two keys that would be one",
    code: "return new Map([[1, 2], ['1', 3]]);",
    json: undefined,
    type: "Map",
    note: 'the value has no JSON: $: two keys are written "1"',
  },
  {
    title: "gives text only for a Map whose keys are objects",
    code: "return new Map([[{}, 2]]);",
    json: undefined,
    note: "the value has no JSON: $: a key of the Map is object, not text, a number, a boolean or null",
  },
  {
    title: "says of a promise within a value what is missing",
    code: "return [Promise.resolve(1)];",
    json: undefined,
    note: "the value has no JSON: $[0]: Promise is not a JSON value: add await",
  },
  {
    title: "says of a value whose getter fails why it has no JSON",
    code: "return { get a() { throw new Error('no'); } };",
    json: undefined,
    note: "the value has no JSON: reading it failed: no",
  },
  {
    title: "reads no member that a program has given to all objects",
    code: "Object.defineProperty(Object.prototype, 'toJSON', { get() { return () => 1; } });\nreturn { a: [1] };",
    json: '{"a":[1]}',
  },
  {
    title: "gives a MiB of JSON however many values it has",
    code: "return Array.from({ length: 524_287 }, () => 0);",
    json: `[${"0,".repeat(524_286)}0]`,
  },
  {
    title: "writes a date as JSON.stringify does",
    code: "return new Date(0);",
    json: '"1970-01-01T00:00:00.000Z"',
  },
  { title: "uses toJSON", code: "return { toJSON: () => [1] };", json: "[1]" },
  {
    title: "takes off `export` before declarations, and lists of exports",
    code: "export const x = 5;\nexport function f() { return x + 1; }\nconst y = f();\nexport { y as z };\nexport {};\ny",
    json: "6",
  },
  { title: "gives what is exported by default", code: "export default { a: 1 };", json: '{"a":1}' },
  {
    title: "calls a function that is exported by default",
    code: "export default async function main({ context, config }) {\n  return [context, config];\n}",
    json: "[{},{}]",
  },
  {
    title: "calls an arrow function that is exported by default, whatever follows",
    code: "export default async () => {\n  return 1;\n}\nconst after = 2;",
    json: "1",
  },
  {
    title: "takes off `export` beside a `return` at the top level",
    code: "export const x = 5;\nreturn x;",
    json: "5",
  },
  {
    title: "calls the one function that it consists of",
    code: "// The answer.\nconst factor = 6;\nasync function main() {\n  return factor * 7;\n}",
    json: "42",
  },
  {
    title: "calls the one function that it consists of, exported",
    code: "export async function run({ tools, context }) {\n  return typeof tools + typeof context;\n}",
    json: '"objectobject"',
  },
  {
    title: "calls the one arrow function that it consists of",
    code: "const main = async ({ config } = {}) => Object.keys(config).length;",
    json: "0",
  },
  {
    title: "calls no function that it calls itself",
    code: "let calls = 0;\nfunction count() { return ++calls; }\ncount();",
    json: "1",
  },
  {
    title: "says of the one function that it does not call why",
    code: "function add(a, b) { return a + b; }",
    json: "null",
    note: "the function add was not called: it takes 2 parameters, and a program's function takes one at the most, {tools,context,config}",
  },
  {
    title: "gives a last arrow function tools, context and config",
    code: "async ({ tools, config }) => [typeof tools, config]",
    json: '["object",{}]',
  },
  {
    title: "goes on until nothing is pending",
    code: "setTimeout(() => console.log('timer'), 5);\n[1, 2, 3].forEach(async (n) => { await null; console.log(n); });",
    json: "null",
    stdout: "1\n2\n3\ntimer\n",
  },
  {
    title: "runs an async function that nobody awaits to its end",
    code: "const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));\nasync function main() { await wait(5); console.log('done'); }\nconst p = main();",
    json: "null",
    stdout: "done\n",
  },
  {
    title: "reads `result` when nothing is left",
    code: "var result = 1;\nsetTimeout(() => { result = [result, 2]; }, 5);",
    json: "[1,2]",
  },
  {
    title: "ends at once by a `return` at the top level",
    code: "setTimeout(() => console.log('never'), 60_000);\nreturn await Promise.race([Promise.resolve(1), new Promise(() => {})]);",
    json: "1",
    stdout: "",
  },
  {
    title: "ends at once by the `return` of the function that it is",
    code: "async () => { setInterval(() => {}, 1_000); return 2; }",
    json: "2",
  },
  {
    title: "lives in UTC",
    code: "return new Date(2026, 0, 1).toISOString();",
    json: '"2026-01-01T00:00:00.000Z"',
  },
  {
    title: "has URLs, encoders, base64 and clones",
    code: 'return [new URL("/b?c=1", "https://a.example").href, new TextDecoder().decode(new TextEncoder().encode("é")), atob(btoa("x")), structuredClone({ a: [1n] }).a[0] === 1n];',
    json: '["https://a.example/b?c=1","é","x",true]',
  },
  {
    title: "cannot change context",
    code: 'try { "use strict"; context.a = 1; } catch {}\nreturn context.a === undefined && Object.isFrozen(context);',
    json: "true",
  },
  {
    title: "has no way to the host",
    code: "return [typeof process, typeof require, typeof fetch, typeof WebAssembly, typeof SharedArrayBuffer];",
    json: JSON.stringify(Array.from({ length: 5 }, () => "undefined")),
  },
  {
    title: "understands a byte order mark and carriage returns",
    code: "\ufeffconst x = `a\r\nb`;\r\nreturn x;",
    json: '"a\\nb"',
  },
  {
    title: "understands an indented fence amid prose",
    code: "Sure, it's:\n\n  ```js\n  const x = [1, 2];\n  return x;\n  ```\n\nThat gives both.",
    json: "[1,2]",
  },
  {
    title: "understands a fence that is not closed",
    code: "```javascript\nreturn 42;",
    json: "42",
  },
  {
    title: "understands two fences in one piece, beside one of another language",
    code: "```sh\nnpm i x\n```\nthen\n```js\nconst x = 4;\n```\n\n```js\nreturn x;\n```",
    json: "4",
  },
  {
    title: "understands fences in a comment of a fenced program",
    code: "```js\n/**\n```\nf(1)\n```\n*/\nreturn 5;\n```",
    json: "5",
  },
  {
    title: "understands fences in a comment of a program",
    code: "/*\n```\nf(1)\n```\n*/\nreturn 5;",
    json: "5",
  },
];
