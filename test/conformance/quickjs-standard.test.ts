import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { collect } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

describe("the standard library in quickjs", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const tools = [{ name: "echo" }];
  const run = (code: string) => collect(executor, code, { tools, onCall: (_call, { v }) => v });

  it.each([
    [
      "groups",
      "console.groupCollapsed('g');\nconsole.log('in');\nconsole.groupEnd();\nconsole.log('out')",
      "g\n  in\nout\n",
    ],
    ["dir with options", "console.dir({ a: { b: { c: 1 } } }, { depth: 0 })", "{ a: [Object] }\n"],
    [
      "dir without",
      "console.dir({ a: { b: { c: { d: 1 } } } })",
      "{ a: { b: { c: [Object] } } }\n",
    ],
    [
      "a count",
      "console.count();\nconsole.count('a');\nconsole.count();\nconsole.countReset();\nconsole.count()",
      "default: 1\na: 1\ndefault: 2\ndefault: 1\n",
    ],
    [
      "settled promises",
      "const no = Promise.reject(3);\nno.catch(() => {});\nconsole.log(Promise.resolve({ a: 1 }), new Promise(() => {}), no)",
      "Promise { { a: 1 } } Promise { <pending> } Promise { <rejected> 3 }\n",
    ],
    [
      "setImmediate",
      "setTimeout(() => console.log('timer'), 50);\nsetImmediate(console.log, 'immediate', 1);\nclearImmediate(setImmediate(console.log, 'never'));\nconsole.log('first')",
      "first\nimmediate 1\ntimer\n",
    ],
    [
      "an abort",
      "const made = new AbortController();\nmade.signal.addEventListener('abort', () => console.log(made.signal.reason.name));\nmade.signal.onabort = () => console.log('on');\nmade.abort();\nmade.abort()",
      "on\nAbortError\n",
    ],
    [
      "an abort after a time",
      "const signal = AbortSignal.timeout(5);\nawait new Promise((resolve) => signal.addEventListener('abort', resolve));\nconsole.log(signal.reason.name)",
      "TimeoutError\n",
    ],
    [
      "any abort",
      "const a = new AbortController();\nconst any = AbortSignal.any([a.signal, AbortSignal.timeout(60_000)]);\na.abort('why');\nconsole.log(any.aborted, any.reason, AbortSignal.abort().aborted)",
      "true why true\n",
    ],
  ])("has %s as Node has", async (_title, code, stdout) => {
    const collected = await run(`${code};\nvoid 0;`);
    expect(collected.result).toMatchObject({ status: "completed" });
    expect(collected.stdout).toBe(stdout);
  });

  it.each([
    ["[{ a: 1, b: 'x' }, { a: 3 }]"],
    ["[[1, 2], [3]]"],
    ["{ x: 1, y: { z: 2 } }"],
    ["['a', 'b']"],
    ["new Map([['k', 1]])"],
    ["new Set([1, 'two'])"],
    ["[{ name: 'Ann', age: 30 }], ['age']"],
    ["5"],
  ])("draws the table of %s as Node does", async (args) => {
    const printed: string[] = [];
    const { Console } = await import("node:console");
    const { Writable } = await import("node:stream");
    const write = (chunk: unknown, _encoding: string, done: () => void) => {
      printed.push(String(chunk));
      done();
    };
    const own = new Console(new Writable({ write }));
    new Function("console", `console.table(${args})`)(own);
    expect((await run(`console.table(${args})`)).stdout).toBe(printed.join(""));
  });

  it.each([
    [
      "says of an assertion",
      "console.assert(1 === 2, 'not %d', 2);\nconsole.assert(true, 'x')",
      "Assertion failed: not 2\n",
    ],
    [
      "says of a timer that was never started",
      "console.timeLog('q')",
      "Warning: No such label 'q' for console.timeLog()\n",
    ],
  ])("%s what Node says", async (_title, code, stderr) => {
    expect((await run(code)).stderr).toBe(stderr);
  });

  it.each([
    [
      "keeps what a weak reference holds to the end of the job",
      "const weak = new WeakRef({ a: 1 });\nawait null;\nweak.deref().a",
      "1",
    ],
    ["decodes latin1", "new TextDecoder('latin1').decode(new Uint8Array([233, 128]))", '"é€"'],
    [
      "decodes utf-16le",
      "new TextDecoder('utf-16le').decode(new Uint8Array([104, 0, 61, 216, 66, 222]))",
      '"h🙂"',
    ],
    [
      "still decodes utf-8",
      "[new TextDecoder().decode(new Uint8Array([195, 169])), new TextDecoder().encoding]",
      '["é","utf-8"]',
    ],
    [
      "has a clock",
      "const start = performance.now();\nawait new Promise((done) => setTimeout(done, 5));\nperformance.now() - start >= 4",
      "true",
    ],
  ])("%s", async (_title, code, json) => {
    expect((await run(code)).result).toMatchObject({ status: "completed", value: { json } });
  });

  it.each(["SHA-1", "SHA-256", "SHA-384", "SHA-512"])("digests with %s", async (name) => {
    const code = `const bytes = await crypto.subtle.digest('${name}', new TextEncoder().encode('é'.repeat(99)));
Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')`;
    const digest = createHash(name.replace("-", "")).update("é".repeat(99)).digest("hex");
    expect((await run(code)).result).toMatchObject({ value: { json: JSON.stringify(digest) } });
  });

  it.each([
    ["const o = {};\no.foo()", "TypeError", "o.foo is not a function"],
    ["const o = { a: [{}] };\no.a[0].go(2)", "TypeError", "o.a[0].go is not a function"],
    ["class A { m() { return this.q(); } }\nnew A().m()", "TypeError", "this.q is not a function"],
    ["[1, 2].foo()", "TypeError", "(intermediate value).foo is not a function"],
    ["const f = 5;\nconst g = 1; f(1)", "TypeError", "f is not a function"],
    [
      "Math.max(...Array.from({ length: 70_000 }, () => 1))",
      "RangeError",
      "use a loop, reduce or concat in place of spreading so many",
    ],
    ["crypto.subtle.encrypt({})", "Error", "crypto.subtle.encrypt is not here: only digest is"],
    ["tools.echo(new Date())", "ToolError", "echo: arguments: expected one object of arguments"],
    [
      "await tools.echo({ toJSON: () => 5 })",
      "ToolError",
      "echo: arguments: expected one object of arguments",
    ],
  ])("says what is wrong with %j", async (code, type, message) => {
    const { result } = await run(code);
    expect(result).toMatchObject({ status: "failed", error: { reason: "exception" } });
    expect(result).toHaveProperty("error.message", expect.stringContaining(message));
    if (type !== "Error") expect(result).toHaveProperty("error.type", type);
  });

  it.each([
    "call + 1",
    "call.temperature",
    "String(call)",
    "JSON.stringify({ call })",
    "[...call]",
    "const { v } = call",
    "'v' in call",
  ])("says of a call that was not awaited what is missing: %s", async (use) => {
    const { result } = await run(`const call = tools.echo({ v: 1 });\n${use};`);
    const message = "this is a call of the tool echo, not its value: add await";
    expect(result).toMatchObject({ error: { type: "ToolError", message } });
  });

  it("takes a call for the promise that it is", async () => {
    const code = `const call = tools.echo({ v: 1 });
const all = await Promise.all([call, tools.echo({ v: 2 })]);
const raced = await Promise.race([tools.echo({ v: 3 })]);
const then = await tools.echo({ v: 4 }).then((v) => v + 1).finally(() => {});
[...all, raced, then, call instanceof Promise, await (async () => tools.echo({ v: 6 }))()]`;
    expect((await run(code)).result).toMatchObject({ value: { json: "[1,2,3,5,true,6]" } });
  });
});
