import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { collect, jsonOf, type RunOptions } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

// What a program could do to the engine's realm, and to the frames of its own run.
describe("a JavaScript program", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const language = "javascript";
  const tools = [{ name: "echo" }];
  const onCall: RunOptions["onCall"] = (_call, args) => args;
  const value = (code: string, options: RunOptions = {}) =>
    jsonOf(executor, code, { language, tools, onCall, ...options });
  const run = (code: string, options: RunOptions = {}) =>
    collect(executor, code, { language, tools, onCall, ...options });

  it("is in a border that the probes of the start have tried", () => {
    const { up, probes, isolationTier } = executor.info();
    expect(up).toBe(true);
    expect(isolationTier).toMatch(/T[23]/);
    const border = probes.filter(({ name }) => name.startsWith("reach "));
    expect(border.length).toBeGreaterThan(45);
    expect(border.filter(({ refused }) => !refused)).toEqual([]);
  });

  it.each([
    ["constructors", 'this.constructor.constructor("return typeof process")()'],
    [
      "constructors of what the host made",
      'context.a.constructor.constructor("return typeof process")()',
    ],
    [
      "constructors of what a tool answered",
      '(await tools.echo({ a: [1] })).a.constructor.constructor("return typeof process")()',
    ],
    ["constructors of a tool", 'tools.echo.constructor("return typeof process")()'],
    [
      "constructors of a tool's promise",
      'tools.echo({}).constructor.constructor("return typeof process")()',
    ],
    [
      "constructors of a tool's error",
      'await tools.echo(5).catch((error) => error.constructor.constructor("return typeof process")())',
    ],
    ["constructors of async functions", '(async () => {}).constructor("return typeof process")()'],
    [
      "constructors of generators",
      '(function* () {}).constructor("return typeof process")().next().value',
    ],
    ["indirect eval", '(0, eval)("typeof process")'],
    ["an import", 'await import("node:process").then(() => "object", () => "undefined")'],
    [
      "an import of the prelude",
      'await import("prelude:host").then(() => "object", () => "undefined")',
    ],
    ["WebAssembly", "typeof WebAssembly"],
    ["shared memory", "typeof SharedArrayBuffer"],
    ["atomics", "typeof Atomics"],
    ["a worker", "typeof Worker"],
    [
      "what the prelude began with",
      "typeof host + typeof enter + typeof util === 'undefinedundefinedundefined' ? 'undefined' : 'object'",
    ],
  ])("cannot reach the engine by %s", async (_title, expression) => {
    expect(await value(`return ${expression};`, { context: { a: {} } })).toBe("undefined");
  });

  it("has prototypes of its own realm alone, on all that it is given", async () => {
    const code = `
const chain = (value) => {
  let last = value;
  while (Object.getPrototypeOf(last) !== null) last = Object.getPrototypeOf(last);
  return last === Object.prototype;
};
const answer = await tools.echo({ a: { b: [1] } });
const error = await tools.echo(5).catch((e) => e);
return [context, context.deep, config, answer, answer.a, answer.a.b, error, tools.echo, tools.echo({}), console, console.log, crypto, performance].map(chain);`;
    const all = (await value(code, { context: { deep: {} } })) as boolean[];
    expect(all).toEqual(all.map(() => true));
  });

  it("sees nothing of the engine in the stacks of errors", async () => {
    const code = `
const stacks = [];
const fails = [() => null.x, () => tools.nothing, () => JSON.parse("{"), () => new URL("x"), () => structuredClone(() => 1), () => atob("%"), () => new TextDecoder("nope"), () => console.log({ get a() { return 1; }, [Symbol.toPrimitive]: 1 }, new Proxy({}, { get() { throw new Error("trap"); } })), () => { throw new Error("own"); }];
for (const fail of fails) try { fail(); } catch (error) { stacks.push(String(error.stack)); }
stacks.push(await tools.echo({ f() {} }).catch((error) => error.stack));
stacks.push(await tools.echo({ toJSON() { throw new Error("in toJSON"); } }).catch((error) => error.stack));
stacks.push(await import("x").catch((error) => error.stack));
return stacks;`;
    const stacks = (await value(code)) as string[];
    expect(stacks.length).toBeGreaterThanOrEqual(11);
    for (const stack of stacks) expect(stack).not.toMatch(/node:|file:|wasm|prelude|\.ts/);
  });

  it("gets no function of the prelude's through Error.prepareStackTrace", async () => {
    const code = `
const seen = [];
Error.prepareStackTrace = (error, frames) => { seen.push(...frames); return "mine"; };
const args = { toJSON() { new Error("inside").stack; return {}; } };
await tools.echo(args);
console.log({ [Symbol.for("nodejs.util.inspect.custom")]() { new Error("inside").stack; return "x"; } });
return seen.map((frame) => [typeof frame.getFunction, typeof frame.getThis]).flat();`;
    const seen = (await value(code)) as string[];
    expect(seen.length).toBeGreaterThan(4);
    expect(new Set(seen)).toEqual(new Set(["undefined"]));
  });

  it("cannot read what the prelude is made of", async () => {
    const code =
      "return [console.log, setTimeout, tools.echo, tools.__list__, Math.random, crypto.randomUUID, Error, URLSearchParams].map(String);";
    for (const text of (await value(code)) as string[]) expect(text).toContain("[native code]");
  });

  it("runs the getters and traps of a tool's arguments itself, and sends what they give", async () => {
    const code = `
let reads = 0;
const args = new Proxy({ a: 1 }, { get(target, name) { if (name === "a") reads++; return target[name]; } });
const first = await tools.echo(args);
const second = await tools.echo({ get a() { return { toJSON: () => [2] }; }, [Symbol("s")]: 5 });
return [first, second, reads];`;
    expect(await value(code)).toEqual([{ a: 1 }, { a: [2] }, 1]);
  });

  it.each([
    [
      "Array.prototype",
      "Array.prototype.push = Array.prototype.map = Array.prototype[Symbol.iterator] = () => { throw 1; };",
    ],
    [
      "setters of indexes",
      'for (const key of ["0", "1", "2", "get", "set"]) Object.defineProperty(Object.prototype, key, { __proto__: null, get() { throw 1; }, set() { throw 2; } });',
    ],
    [
      "Promise.prototype.then",
      "Promise.prototype.then = Promise.prototype.catch = function () { throw 3; };",
    ],
    ["JSON", "JSON.stringify = JSON.parse = () => { throw 4; }; globalThis.JSON = undefined;"],
    [
      "String.prototype",
      "for (const name of Object.getOwnPropertyNames(String.prototype)) try { String.prototype[name] = () => { throw 5; }; } catch {}",
    ],
    [
      "Map and Set",
      "for (const type of [Map, Set, WeakMap]) for (const name of Object.getOwnPropertyNames(type.prototype)) try { type.prototype[name] = () => { throw 6; }; } catch {}",
    ],
    [
      "Function.prototype",
      "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw 7; };",
    ],
    [
      "Object and Reflect",
      "const { getOwnPropertyNames } = Object; for (const object of [Object, Reflect]) for (const name of getOwnPropertyNames(object)) try { object[name] = () => { throw 8; }; } catch {}",
    ],
    [
      "errors",
      "Error.prepareStackTrace = () => { throw 9; }; Error.stackTraceLimit = 0; Error.captureStackTrace = null;",
    ],
    [
      "every global",
      "for (const name of Object.getOwnPropertyNames(globalThis)) if (name !== 'tools') try { globalThis[name] = undefined; } catch {}",
    ],
  ])("neither breaks nor forges its frames by changing %s", async (_title, change) => {
    const { result, events } = await run(
      `${change}\nresult = await tools.echo({ a: [1, "x", { b: null }] });`,
    );
    const calls = events.filter((event) => event.type === "tool_call");
    expect(calls).toMatchObject([
      { call: 1, tool: "echo", argumentsJson: '{"a":[1,"x",{"b":null}]}' },
    ]);
    expect(result).toMatchObject({
      status: "completed",
      value: { json: '{"a":[1,"x",{"b":null}]}' },
    });
  });

  it.each([
    ["a thenable", "return { then(done) { done(5); done(6); throw new Error('late'); } };", "5"],
    [
      "a promise of its own class",
      "return new (class extends Promise {})((done) => done(5));",
      "5",
    ],
    ["a proxy", "return new Proxy([1, 2], {});", "[1,2]"],
  ])("gives %s as its value", async (_title, code, json) => {
    expect((await run(code)).result).toMatchObject({ status: "completed", value: { json } });
  });

  it.each([
    [
      "a proxy whose traps throw",
      "return new Proxy({}, { get(_, name) { if (name !== 'then') throw 1; }, ownKeys() { throw 2; }, getPrototypeOf() { throw 3; } });",
    ],
    [
      "an object whose constructor throws when asked",
      "return Object.create({ get constructor() { throw 1; } }, { a: { get() { throw 2; }, enumerable: true } });",
    ],
    ["a toJSON that throws", "return { toJSON() { throw new Error('no'); } };"],
    [
      "an inspector that throws",
      "return { f() {}, [Symbol.for('nodejs.util.inspect.custom')]() { throw 1; } };",
    ],
  ])("still has a result when that is %s", async (_title, code) => {
    const { result } = await run(code);
    expect(result).toMatchObject({ status: "completed", value: { json: undefined } });
  });

  it.each([
    [
      "an error whose every member throws",
      "class E extends Error { get name() { throw 1; } get message() { throw 2; } get stack() { throw 3; } }\nthrow new E();",
    ],
    [
      "a proxy of an error",
      "throw new Proxy(new Error('x'), { get() { throw 1; }, getPrototypeOf() { throw 2; } });",
    ],
    ["null", "throw null;"],
    ["undefined", "throw undefined;"],
    ["a symbol", "throw Symbol('s');"],
    ["text without end", "throw new Error('x'.repeat(5_000_000));"],
    ["text with lone surrogates", "throw new Error('\\ud800'.repeat(100_000));"],
  ])("fails in form when it throws %s", async (_title, code) => {
    const { result } = await run(code);
    expect(result).toMatchObject({ status: "failed", error: { reason: "exception" } });
    if (result.status === "failed") {
      expect(Buffer.byteLength(result.error.message)).toBeLessThanOrEqual(8 * 1024);
      expect(Buffer.byteLength(result.error.traceback)).toBeLessThanOrEqual(32 * 1024);
    }
  });

  it.each(["99999999999", "-5", "1.5", "1e300", ""])(
    "fails with its own error when that says it stands in line %j",
    async (line) => {
      const stack = `Error: x\n    at f (<program>:${line}:1)`;
      const { result } = await run(
        `throw Object.defineProperty(new Error("x"), "stack", { value: ${JSON.stringify(stack)} });`,
      );
      expect(result).toMatchObject({ error: { reason: "exception", message: "x", line: 0 } });
    },
  );

  it.each([2_000, 20_000_000])(
    "gets an error for a tool whose name has %d letters",
    async (length) => {
      const code = `try { await tools["x".repeat(${length})]({}); } catch (error) { return [error.name, error.kind, error.message.length < 400]; }`;
      for (const hasMoreTools of [true, false]) {
        expect(await value(code, { hasMoreTools })).toEqual(["ToolError", "not_granted", true]);
      }
    },
  );

  it("says no more once it has given its result", async () => {
    const { events } = await run(
      "queueMicrotask(() => console.log('late')); setTimeout(() => console.log('later'), 0); return 1;",
    );
    const output = events.map((event) => (event.type === "output" ? event.text : ""));
    expect(output.join("")).not.toContain("later");
    expect(events.at(-1)).toMatchObject({ type: "ended", result: { value: { json: "1" } } });
  });
});
