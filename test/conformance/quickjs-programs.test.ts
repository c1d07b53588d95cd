import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { collect, jsonOf, type RunOptions } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

// What the suite for every engine does not say of JavaScript and TypeScript.
const weather = {
  name: "weather",
  signature: "weather({ location: string; units?: string }): Promise<number>",
  parameters: ["location", "units"],
  required: ["location"],
};
const tools = [weather, { name: "my-tool" }, { name: "echo" }];

describe("programs in quickjs", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const answer: RunOptions["onCall"] = (_call, args) => {
    if (args.fail) throw new Error("no such city");
    return args;
  };
  const run = (code: string, options: RunOptions = {}) =>
    collect(executor, code, { language: "javascript", tools, onCall: answer, ...options });
  const value = (code: string, options: RunOptions = {}) =>
    jsonOf(executor, code, { language: "javascript", tools, onCall: answer, ...options });
  const failure = async (code: string, options: RunOptions = {}) => {
    const { result } = await run(code, options);
    if (result.status === "completed") expect.fail(`it completed: ${result.value.text}`);
    return result.error;
  };

  it.each([
    [
      'await tools.wether({ location: "x" });',
      'there is no tool "wether": did you mean "weather"?',
    ],
    ['await tools["nothing like it"]({});', "tools.__search__({ query }) finds tools"],
    [
      'await tools.weather("NYC");',
      "weather takes one object, got a string; it is weather({ location: string",
    ],
    ['await tools.weather({ location: "a" }, 5);', "weather takes one object, got 2 arguments"],
    ["await tools.weather([1]);", "weather takes one object, got an array"],
    ["await tools.weather(tools.echo({}));", "got a promise: add await"],
    ["await tools.echo(null);", "echo takes one object, got null"],
    ['await tools.weather({ loction: "x" });', 'did you mean "location"?'],
    ["await tools.weather({});", 'weather is missing "location"; it is weather({ location: string'],
    [
      "await tools.echo({ a: [1, { b: new WeakMap() }] });",
      "echo: arguments: $.a[1].b: WeakMap is not a JSON value",
    ],
    [
      'await tools.echo({ "a b": { c: tools.echo({}) } });',
      '$["a b"].c: Promise is not a JSON value: add await',
    ],
    ["await tools.echo({ v: [undefined] });", "$.v[0]: undefined is not a JSON value"],
  ])("%s fails with a message that tells how to mend it", async (code, message) => {
    const error = await failure(code);
    expect(error.type).toBe("ToolError");
    expect(error.message).toContain(message);
    expect(error.line).toBe(1);
  });

  it("gives a tool's failure the line of its call, and nothing of the prelude", async () => {
    const error = await failure("const x = 1;\nawait tools.echo({\n  fail: true,\n});");
    expect(error).toMatchObject({ type: "ToolError", message: "no such city", line: 2 });
    expect(error.traceback).toMatch(/^ToolError: no such city\n {4}at <program>:2:\d+ {\n/);
  });

  it("gives calls that run at the same time the same keys, whatever is answered first", async () => {
    const code =
      "const work = async (i) => { const { n } = await tools.echo({ n: i }); return tools.echo({ second: n }); };\nawait Promise.all([1, 2, 3].map(work));\nfor (let i = 0; i < 2; i++) await tools.echo({});";
    const keysOf = async (isReversed: boolean) => {
      const keys: Record<string, string> = {};
      const waiting: (() => void)[] = [];
      await run(code, {
        onCall: async (call, args) => {
          keys[call.argumentsJson + (call.argumentsJson === "{}" ? call.callKey.at(-1) : "")] =
            call.callKey;
          if (isReversed && typeof args.n === "number") {
            const turn = new Promise<void>((resolve) => waiting.unshift(resolve));
            if (waiting.length === 3) for (const go of waiting) go();
            await turn;
          }
          return args;
        },
      });
      return keys;
    };
    const first = await keysOf(false);
    expect(new Set(Object.values(first)).size).toBe(8);
    expect(await keysOf(true)).toEqual(first);
  });

  it("searches, lists and describes tools by the host", async () => {
    const asked: string[] = [];
    const code =
      'await tools.__search__({ query: "x" });\nawait tools.__list__();\nawait tools.__schema__({ name: "weather" });\nreturn [Object.keys(tools), "weather" in tools, String(tools)];';
    const given = await value(code, {
      onCall: ({ tool, argumentsJson }) => asked.push(`${tool} ${argumentsJson}`),
    });
    expect(asked).toEqual([
      '__search__ {"query":"x"}',
      "__list__ {}",
      '__schema__ {"name":"weather"}',
    ]);
    expect(given).toEqual([
      ["weather", "my-tool", "echo"],
      true,
      "[tools: weather, my-tool, echo]",
    ]);
  });

  it.each([
    "tools.weather = 5;",
    "delete tools.weather;",
    "Object.defineProperty(tools, 'x', { value: 1 });",
  ])("cannot change its tools: %s", async (code) => {
    expect((await failure(code)).message).toBe("tools are read-only");
  });

  it.each([
    [
      "import fs from 'node:fs';",
      "syntax",
      'no module "node:fs": there are no modules, packages or files here',
    ],
    ["export * from './a.js';", "syntax", "nothing can be exported from elsewhere"],
    ["await import('node:fs');", "exception", "import is not available"],
    ["require('fs');", "exception", "there are no modules, packages or files here"],
    [
      "import axios from 'axios'; await axios.get('http://x');",
      "syntax",
      'no module "axios": there are no modules',
    ],
    [
      "await codemode.weather({});",
      "exception",
      "the tools are in `tools`: await tools.name({ ... })",
    ],
    ["await fetch('http://x');", "exception", "there is no network here: call a tool"],
    ["process.exit(0);", "exception", "there is no process here"],
    ["const x = <div>hi</div>;", "syntax", "JSX cannot be run here"],
    ["@dec class A {}", "syntax", "decorators cannot be run here"],
    ["const x: string = 'a';", "syntax", "types need the language typescript"],
  ])("%s says what there is instead", async (code, reason, message) => {
    const error = await failure(code);
    expect(error.reason).toBe(reason);
    expect(error.message).toContain(message);
    expect(error.line).toBe(code.includes("await import") ? 0 : 1);
  });

  it.each([
    [
      "an error in a timer",
      "setTimeout(() => { throw new TypeError('late'); }, 1);\nawait new Promise((done) => setTimeout(done, 1_000));",
      "late",
      1,
    ],
    [
      "an error in a microtask",
      "queueMicrotask(() => { throw new TypeError('late'); });\nawait new Promise((done) => setTimeout(done, 1_000));",
      "late",
      1,
    ],
    [
      "a rejection that nobody watches",
      "\nPromise.reject(new TypeError('late'));\nawait new Promise((done) => setTimeout(done, 1_000));",
      "late",
      2,
    ],
  ])("ends with %s, as in Node", async (_title, code, message, line) => {
    expect(await failure(code)).toMatchObject({
      reason: "exception",
      type: "TypeError",
      message,
      line,
    });
  });

  it("takes a rejection that is watched within its turn as handled", async () => {
    const code =
      "const late = Promise.reject(new Error('x'));\nawait null;\ntry { await late; } catch { return 'caught'; }";
    expect(await value(code)).toBe("caught");
  });

  it("gives up timers and calls that nothing waits for when its main program has ended", async () => {
    const { stdout, result } = await run(
      "setTimeout(() => console.log('never'), 50); setInterval(() => {}, 1); tools.echo({}); return 1;",
    );
    expect(stdout).toBe("");
    expect(result).toMatchObject({ status: "completed" });
  });

  it.each([
    ["JSON.parse", "JSON.parse('['.repeat(1e6) + ']'.repeat(1e6));"],
    ["a getter", "const o = { get a() { return this.a; } };\no.a;"],
    ["a proxy", "const p = new Proxy({}, { get: (t, k, r) => r[k] });\np.x;"],
    ["toString", "const o = { toString() { return String(this); } };\nString(o);"],
    ["sorting", "const f = () => [2, 1].sort(f);\nf();"],
    ["a regular expression", "const f = () => 'a'.replace(/a/, f);\nf();"],
    ["a class", "class A { constructor() { new A(); } }\nnew A();"],
  ])("takes endless recursion through %s as a RangeError of its own", async (_title, code) => {
    expect(await failure(code)).toMatchObject({ reason: "exception", type: "RangeError" });
    expect(await value("return 1;")).toBe(1);
  });

  it("keeps integers beyond 2^53 exact both ways, and floats floats", async () => {
    const seen: string[] = [];
    const code =
      "const a = await tools.echo({ a: 2n ** 64n + 1n, b: 1e21, c: 1e20, d: -0, e: 5.0 });\nreturn [a.a === 2n ** 64n + 1n, typeof a.e, context.big];";
    const given = await run(code, {
      context: { big: 2n ** 53n + 1n },
      onCall: (call, args) => {
        seen.push(call.argumentsJson);
        return args;
      },
    });
    expect(seen).toEqual([
      '{"a":18446744073709551617,"b":1e+21,"c":100000000000000000000,"d":-0.0,"e":5}',
    ]);
    expect(given.result).toMatchObject({ value: { json: '[true,"number",9007199254740993]' } });
  });

  it("has random numbers that its seed does not tell", async () => {
    const code =
      "return [crypto.randomUUID(), [...crypto.getRandomValues(new Uint32Array(4))].join()];";
    const [one, other] = [await value(code, { seed: 7n }), await value(code, { seed: 7n })];
    expect(one).not.toEqual(other);
    expect((one as string[])[0]).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it.each([
    ["a record", "new URLSearchParams({ a: 1, b: 'x y' })", "a=1&b=x+y"],
    ["pairs", "new URLSearchParams([['a', '1'], ['a', '2']])", "a=1&a=2"],
    [
      "a URL's",
      "(() => { const u = new URL('http://x/?a=1'); u.searchParams.append('b', '2'); return u.search.slice(1); })()",
      "a=1&b=2",
    ],
    [
      "a URL whose query is set later",
      "(() => { const u = new URL('http://x/?a=1'); const p = u.searchParams; u.search = '?c=3'; return p; })()",
      "c=3",
    ],
  ])("has search parameters of %s", async (_title, code, text) => {
    expect(await value(`return String(${code});`)).toBe(text);
  });

  describe("in TypeScript", () => {
    const typescript = { language: "typescript" } as const;

    it("points at the author's line in tracebacks and calls, where code was written anew", async () => {
      const keys: string[] = [];
      const code =
        "enum A {\n  B,\n  C,\n}\nawait tools.echo({ a: A.C });\nfunction f(): never {\n  throw new TypeError(String(A.C));\n}\nf();";
      const error = await failure(code, {
        ...typescript,
        onCall: (call) => keys.push(call.callKey),
      });
      expect(error).toMatchObject({ type: "TypeError", line: 7 });
      expect(error.traceback).toContain("at f (<program>:7:");
      expect(error.traceback).toContain("at <program>:9:");
      expect(keys[0]).toMatch(/^5:/);
    });

    it("takes namespaces, parameter properties and a return at the top level together", async () => {
      const code =
        "namespace N { export const v = 3; }\nclass K { constructor(private readonly q: number) {} get(): number { return this.q; } }\nreturn [N.v, new K(5).get()];";
      expect(await value(code, typescript)).toEqual([3, 5]);
    });

    it("refuses a program nested too deep for its parser, and parses the next", async () => {
      const error = await failure(
        `const x = ${"(\n".repeat(100_000)}1${")\n".repeat(100_000)};`,
        typescript,
      );
      expect(error).toMatchObject({ reason: "syntax" });
      expect(error.message).toContain("nested too deep");
      for (let n = 0; n < 5; n++) expect(await value(`return ${n} as number;`, typescript)).toBe(n);
    });
  });
});
