import { javascriptConversions } from "./javascript-conversions.ts";
import { javascriptFailures } from "./javascript-failures.ts";
import { javascriptValues } from "./javascript-values.ts";
import type { Programs } from "./programs.ts";

const call = (tool: string, args: Readonly<Record<string, string>>) => {
  const members = Object.entries(args).map(([name, value]) => `${JSON.stringify(name)}: ${value}`);
  return `tools[${JSON.stringify(tool)}]({ ${members.join(", ")} })`;
};
const levels = (depth: number) => `JSON.parse("[".repeat(${depth}) + "]".repeat(${depth}))`;

/** JavaScript, for the suite. */
export const javascript: Programs = {
  language: "javascript",
  lacks: {
    files: "JavaScript programs have no files",
    environment: "JavaScript programs have no environment",
    crash: "nothing that a JavaScript program can call ends its guest",
  },
  give: (expression) => `return ${expression};`,
  printLine: (text) => `console.log(${JSON.stringify(text)});`,
  idleLine: "'0123456789012345678901234567890123456789'\n",
  longText: (length) => `"x".repeat(${length})`,
  zeros: (count) => `Array.from({ length: ${count} }, () => 0)`,
  exact: {
    null: "null",
    true: "true",
    false: "false",
    zero: "0",
    integer: "42",
    "negative integer": "-7",
    "2**53 - 1": "2 ** 53 - 1",
    "2**53 + 1": "2n ** 53n + 1n",
    "-2**63": "-(2n ** 63n)",
    "10**300": "10n ** 300n",
    "a tenth": "0.1",
    "1e308": "1e308",
    "5e-324": "5e-324",
    "empty text": '""',
    text: '"é日🙂"',
    escapes: '"\\"\\\\\\n\\t\\0\\u2028"',
    "empty array": "[]",
    "empty object": "{}",
    nested: '{ b: [1, [2, [3]]], a: { c: null, "": {} } }',
    "60 levels": levels(60),
    "64 levels": levels(64),
  },
  beyond: {
    NaN: "NaN",
    infinity: "Infinity",
    "10**309": "10n ** 309n",
    "lone surrogate": '"\\ud800"',
    cycle: "(() => { const x = []; x.push(x); return x; })()",
    "65 levels": levels(65),
    function: "[() => 1]",
  },
  values: javascriptValues,
  conversions: javascriptConversions,
  failures: javascriptFailures,
  raises: {
    code: 'function f() {\n  const x = 1;\n  throw new TypeError("boom");\n}\nf();',
    type: "TypeError",
    message: "boom",
  },
  badSyntax: { code: "const x = 1;\nconst = ;\n", type: "SyntaxError" },
  spin: "while (true) {}",
  sleep: "await new Promise((resolve) => setTimeout(resolve, 3_600_000));",
  readyThenSpin: 'console.log("ready");\nwhile (true) {}',
  catchesAll:
    'console.log("ready");\nwhile (true) {\n  try { while (true) {} } catch {} finally { continue; }\n}',
  stuck: [
    { title: "a regular expression", code: '/^(a+)+$/.test("a".repeat(64) + "b");' },
    {
      title: "a search through an endless array",
      code: "Array.prototype.includes.call({ length: Number.MAX_SAFE_INTEGER }, 1);",
    },
    {
      title: "promises that never let go",
      code: "const next = () => Promise.resolve().then(next);\nawait next();",
    },
  ],
  flood: 'while (true) console.log("x".repeat(999));',
  interleaved: 'console.log("a");\nconsole.log("b");\nconsole.error("c");\nconsole.log("d");',
  unicode: 'for (let n = 0; n < 20000; n++) console.log("é日本🙂");',
  memory: {
    big: "new Uint8Array(300 * 2 ** 20);",
    many: "const x = [];\nwhile (true) x.push([]);",
    doubling: "let x = [1];\nwhile (true) x = x.concat(x);",
    survived:
      "let value = 0;\ntry { new Uint8Array(300 * 2 ** 20); } catch { value = 5; }\nreturn value;",
  },
  recursion: { code: "function f() { return f() + 1; }\nf();" },
  leaks: {
    globals: {
      litter: "globalThis.leak = 1;\nvar leak2 = 1;\nleak3 = 1;\ntools.leak = 1;",
      isClean:
        'return ["leak", "leak2", "leak3"].every((name) => !(name in globalThis)) && !("leak" in tools);',
    },
    library: {
      litter:
        "JSON.stringify = null; Math.max = null; console.log = null; globalThis.Promise = null; globalThis.Array = null;",
      isClean:
        'return JSON.stringify([Math.max(1, 2)]) === "[2]" && console.log instanceof Function && Promise instanceof Function && Array instanceof Function;',
    },
    prototypes: {
      litter:
        "Object.prototype.leak = 1; Array.prototype.map = null; Function.prototype.leak = 1; String.prototype.trim = null; Promise.prototype.then = null;",
      isClean:
        'return !("leak" in {}) && [1].map((n) => n)[0] === 1 && !("leak" in Math.max) && " a ".trim() === "a" && Promise.prototype.then instanceof Function;',
    },
    timers: {
      litter:
        'setTimeout(() => console.log("leaked"), 30);\nPromise.resolve().then(() => 1);\nreturn 1;',
      isClean: "await new Promise((resolve) => setTimeout(resolve, 100));\nreturn true;",
    },
  },
  random: "Math.random()",
  context: "[context, config]",
  tools: {
    call: (tool, args) => `return await ${call(tool, args)};`,
    caught: (tool, args) =>
      `try {\n  return ["ok", await ${call(tool, args)}];\n} catch (error) {\n  return [error.name, error.message, error.tool, error.kind];\n}`,
    sequential: (count) =>
      `for (let n = 0; n < ${count}; n++) console.log(await tools.echo({ n }));`,
    parallel: (count) =>
      `return await Promise.all(Array.from({ length: ${count} }, (_, n) => tools.echo({ n })));`,
    onLine2: "const x = 1;\nawait tools.echo({});",
    printAround: 'console.log("a");\nawait tools.echo({});\nconsole.log("b");',
    between:
      'await tools.echo({ n: 1 });\nconsole.log("between");\nawait new Promise((resolve) => setTimeout(resolve, 3_600_000));',
    leftOpen: "tools.echo({ n: 1 });\nreturn 5;",
    hoard: "const x = [];\nwhile (true) x.push(await tools.echo({}));",
    lengthOfAnswer: "return (await tools.echo({})).length;",
    endless: "for (let n = 0; ; n++) {\n  try { await tools.echo({ n }); } catch {}\n}",
  },
};
