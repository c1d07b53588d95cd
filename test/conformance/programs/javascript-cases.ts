import type { FailureCase, ValueCase } from "./programs.ts";

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

/** What only JavaScript has to say about failures. */
export const javascriptFailures: readonly FailureCase[] = [
  {
    title: "reports an exception with its line",
    code: "const x = 1;\nx.y.z;",
    reason: "exception",
    type: "TypeError",
    line: 2,
  },
  {
    title: "reports a rejection after an await with its line",
    code: 'await Promise.resolve();\n\nthrow new RangeError("x");',
    reason: "exception",
    type: "RangeError",
    line: 3,
  },
  {
    title: "reports a rejected promise as the result",
    code: 'return Promise.reject(new TypeError("late"));',
    reason: "exception",
    type: "TypeError",
    message: "late",
  },
  {
    title: "reports a class of errors of its own",
    code: 'class Mine extends Error { name = "Mine"; }\nthrow new Mine("own");',
    reason: "exception",
    type: "Mine",
    message: "own",
    line: 2,
  },
  {
    title: "reports what is thrown and is no error",
    code: 'throw "just text";',
    reason: "exception",
    message: "just text",
  },
  {
    title: "reports an error whose message cannot be read",
    code: "throw { get message() { throw 1; }, toString() { throw 2; } };",
    reason: "exception",
  },
  {
    title: "reports a result that is too large",
    code: 'return "a".repeat(2 ** 21);',
    reason: "exception",
    type: "ResultTooLarge",
  },
  {
    title: "refuses to import what is not there",
    code: 'await import("node:fs");',
    reason: "exception",
  },
  { title: "reports a null byte as a syntax error", code: "const x = 1 \0 2;", reason: "syntax" },
  {
    title: "says the line in a fence",
    code: "So:\n\n```js\nconst x = 1;\nx.y.z;\n```",
    reason: "exception",
    type: "TypeError",
    line: 5,
  },
  {
    title: "takes no two programs",
    code: "```js\nreturn 1;\n```\nor\n```js\nreturn 2;\n```",
    reason: "syntax",
    type: "SyntaxError",
    message: "two programs: send one",
    line: 5,
  },
];
