import { format } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { collect } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

/** Arguments of console.log, as program text. */
const cases = [
  "1, -0, NaN, 10n, 'text', true, null, undefined, Symbol('s')",
  "{ a: 1, b: 'x', c: [1, { d: 2 }], 'a-b': undefined }",
  "'%s is %d and %i %f %j %o %O %% %c.', 'x', 1.5, 2.7, '3.1', { a: 1 }, [1], { b: 2 }, 'css', 'rest'",
  "'%s', { toString() { return 'custom'; } }, '%s'",
  "new Map([[1, { a: 2 }], ['x', new Set([1, 2])]]), new WeakMap()",
  "[undefined, null, , 3], Array(5), Object.assign([1, 2], { x: 1 })",
  "function foo() {}, class A {}, class B extends Map {}, async () => {}, function* g() {}",
  "new (class Foo { constructor() { this.x = 1; } })(), Object.create(null), Object.create({ a: 1 })",
  "new Date(0), new Date(NaN), /a+/gi, [new Date(0), /x/]",
  "new Uint8Array([1, 2, 3]), new Float64Array([1.5]), new ArrayBuffer(4)",
  "{ get a() { return 1; }, set a(x) {}, get b() { return 2; }, set c(x) {} }",
  "{ a: { b: { c: { d: 1 } } } }, [[[[[]]]]]",
  "Array.from({ length: 150 }, (_, i) => i)",
  "Array.from({ length: 30 }, (_, i) => 'item number ' + i)",
  "{ long1: 'x'.repeat(40), long2: 'y'.repeat(40), z: 1 }",
  "(() => { const a = { n: 1 }; a.self = a; return a; })()",
  "[\"it's\"], ['a\"b\\'c'], ['\\n\\t\\u0001']",
  "new Proxy({ a: 1 }, {}), new Proxy(() => 1, {})",
  "Object(1), Object('x'), Object(1n), Object(Symbol('q'))",
  "{ [Symbol('k')]: 1, [Symbol.toStringTag]: 'Tagged', a: 1 }",
  "new URL('http://a.b/c?d=e#f'), new URLSearchParams('a=1&b=2'), { u: new URLSearchParams() }",
  "Array.from({ length: 7 }, (_, id) => ({ id, name: 'user' + id, email: 'u' + id + '@example.com' }))",
  "{ users: [{ name: 'Ann', tags: ['a', 'b'], address: { city: 'X', geo: { lat: 1 } } }], total: 1 }",
  "'x'.repeat(200), ['x'.repeat(100), 'y'], 'ends with a newline\\n'",
] as const;

describe("console in quickjs", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());
  const run = (code: string) => collect(executor, code, { language: "javascript" });

  it.each(cases)("formats as Node does: %s", async (values) => {
    const { stdout, result } = await run(`console.log(${values});`);
    expect(result.status).toBe("completed");
    // biome-ignore lint/security/noGlobalEval: the same text in this realm, where Node itself formats it
    expect(stdout).toBe(`${format(...globalThis.eval(`[${values}]`))}\n`);
  });

  it("writes log, info and debug to stdout, warn, error and trace to stderr", async () => {
    const { stdout, stderr } = await run(
      "for (const name of ['log', 'info', 'debug', 'warn', 'error']) console[name](name);\nconsole.trace('here');",
    );
    expect(stdout).toBe("log\ninfo\ndebug\n");
    expect(stderr).toMatch(/^warn\nerror\nTrace: here\n {4}at <program>:2:\d+\n$/);
  });

  it("indents groups, counts, and asserts", async () => {
    const { stdout, stderr } = await run(
      "console.group('one'); console.log('a\\nb'); console.groupEnd(); console.count(); console.count(); console.assert(1 > 2, 'no');",
    );
    expect(stdout).toBe("one\n  a\n  b\ndefault: 1\ndefault: 2\n");
    expect(stderr).toBe("Assertion failed: no\n");
  });

  it("shows errors with their own frames, causes and members", async () => {
    const code =
      "function f() {\n  return Object.assign(new TypeError('boom', { cause: new Error('why') }), { code: 5 });\n}\nconsole.log(f());";
    const { stdout } = await run(code);
    expect(stdout).toMatch(
      /^TypeError: boom\n {4}at f \(<program>:2:\d+\)\n {4}at <program>:4:\d+ {/,
    );
    expect(stdout).toContain("[cause]: Error: why");
    expect(stdout).toContain("code: 5");
  });

  it("runs on when what it shows throws", async () => {
    const code =
      "try { console.log({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('thrown'); } }); } catch (error) { console.log(error.message); }";
    expect((await run(code)).stdout).toBe("thrown\n");
  });
});
