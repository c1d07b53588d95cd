import type { FailureCase } from "./programs.ts";

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
    title: "reports a rejection that nobody handles, after the program's last line",
    code: "async function go() { await null; throw new RangeError('lost'); }\ngo();\n5",
    reason: "exception",
    type: "RangeError",
    message: "lost",
    line: 1,
  },
  {
    title: "reports an exception of a timer",
    code: "setTimeout(() => {\n  throw new TypeError('in a callback');\n}, 5);\n5",
    reason: "exception",
    type: "TypeError",
    message: "in a callback",
    line: 2,
  },
  {
    title: "ends at once where it awaits what nothing can settle",
    code: "await new Promise(() => {});",
    reason: "exception",
    message: "the program awaits a promise that nothing can settle any more",
  },
  {
    title: "says what there is in place of a module",
    code: "import { z } from 'zod';\nz.string();",
    reason: "syntax",
    message:
      'no module "zod": there are no modules, packages or files here: `tools` calls the tools',
    line: 1,
  },
  {
    title: "keeps the lines of a module in errors",
    code: "export const x = 1;\nexport default async function main() {\n  throw new TypeError('here');\n}",
    reason: "exception",
    type: "TypeError",
    line: 3,
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
