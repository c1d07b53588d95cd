import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { collect, jsonOf, type RunOptions } from "../support/programs.ts";
import { answerByName as onCall, pythonTools as tools } from "../support/python-tools.ts";
import { noPython, startCpython } from "../support/toolchain.ts";

describe.skipIf(noPython)("tool calls in cpython", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startCpython();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const value = (code: string, options: RunOptions = {}) =>
    jsonOf(executor, code, { tools, onCall, ...options });
  const failure = async (code: string, options: RunOptions = {}) => {
    const { result } = await collect(executor, code, { tools, onCall, ...options });
    if (result.status === "completed") expect.fail(`it completed: ${result.value.text}`);
    return result.error;
  };

  describe("fail", () => {
    it("as a ToolError, an ordinary exception with the handler's message", async () => {
      const fails: RunOptions["onCall"] = () => {
        throw new Error("no such city");
      };
      const error = await failure("x = 1\ntools.weather(location='Nowhere')", { onCall: fails });
      expect(error).toMatchObject({
        reason: "exception",
        type: "ToolError",
        message: "no such city",
        line: 2,
      });
      expect(error.traceback.match(/File "/g)).toHaveLength(1);
      const caught =
        "try:\n  tools.weather(location='x')\nexcept ToolError as e:\n  result = [str(e), e.tool, e.kind]";
      expect(await value(caught, { onCall: fails })).toEqual([
        "no such city",
        "weather",
        "exception",
      ]);
      const awaited =
        "try:\n  await tools.weather(location='x')\nexcept Exception as e:\n  result = type(e).__name__";
      expect(await value(awaited, { onCall: fails })).toBe("ToolError");
    });

    it.each([
      ["tools.wether(location='x')", "there is no tool 'wether': did you mean 'weather'?"],
      [
        "tools['nothing like it']()",
        "there is no tool 'nothing like it': tools['__search__'].run(query=...) finds tools",
      ],
      ["tools[5]", "there is no tool 5"],
      [
        "tools.weather(city='x')",
        "weather has no argument 'city'; it is weather(location: str, units: str = 'celsius') -> dict",
      ],
      ["tools.weather(loction='x')", "did you mean 'location'?"],
      ["tools.weather()", "weather is missing 'location'; it is weather(location: str"],
      ["tools.weather('a', 'b', 'c')", "weather got 3 arguments"],
      ["tools.weather('a', location='b')", "weather got the argument 'location' twice"],
      ["tools.echo('a')", "echo takes arguments by name only"],
    ])("%s with a message that tells how to mend it", async (code, message) => {
      const error = await failure(code);
      expect(error.type).toBe("ToolError");
      expect(error.message).toContain(message);
    });

    it.each([
      "call['temperature']",
      "call()",
      "call ** 2",
      "reversed(call)",
      "next(call)",
      "setattr(call, 'a', 1)",
      "call.__setitem__('a', 2)",
      "call.temperature",
      "list(call)",
      "len(call)",
      "bool(call)",
      "'x' in call",
      "json.dumps({'a': call})",
      "f'{call}'",
      "str(call)",
      "call + 1",
      "1 + call",
      "call < 1",
      "call == 1",
      "if call: pass",
      "[call]",
      "{'weather': call}",
    ])("a forgotten await says so: %s", async (use) => {
      const body = use.startsWith("if") ? use : `x = ${use}`;
      const code = `import json, asyncio\nawait asyncio.sleep(0)\ncall = tools.weather(location='NYC')\n${body}\n${use.startsWith("if") ? "1" : "x"}`;
      const error = await failure(code);
      expect(error.type).toBe("ToolError");
      expect(error.message).toContain("add await, or use .run_sync");
    });

    it.each([
      ["float('nan')", "$.v: nan is not a JSON number"],
      ["[10**309]", "$.v[0]: the integer is out of range, at most 308 digits are taken"],
      ["{'a': [10**5000]}", "$.v.a[0]: the integer is out of range, at most 308 digits are taken"],
      ["float('-inf')", "$.v: -inf is not a JSON number"],
      ["b'x'", "$.v: bytes is not a JSON value"],
      ["{1}", "$.v: set is not a JSON value"],
      ["{1: 2}", "$.v: the key 1 is int, not str"],
      ["__import__('datetime').date(2026, 1, 1)", "$.v: date is not a JSON value"],
      ["'\\ud800'", "$.v: the text has a lone surrogate"],
      ["[1, [2, object()]]", "$.v[1][1]: object is not a JSON value"],
      ["{'a b': {'c': b''}}", '$.v["a b"].c: bytes is not a JSON value'],
    ])("when an argument cannot cross, naming the place: %s", async (expression, message) => {
      const error = await failure(`tools.echo(v=${expression})`);
      expect(error).toMatchObject({ type: "ToolError", message: `echo: arguments: ${message}` });
    });

    it.each([
      ["nested 10,000 deep", "x = []\nfor _ in range(10000): x = [x]", "nested deeper than 64"],
      ["a cycle", "x = []\nx.append(x)", "the value contains itself"],
    ])("when an argument is %s", async (_title, make, message) => {
      expect((await failure(`${make}\ntools.echo(v=x)`)).message).toContain(message);
    });

    it("when the arguments have more than 250,000 values, and not when they have as many", async () => {
      const answered = { onCall: () => null };
      // The object, the list and its items; each container counts twice.
      expect(await value("tools.echo(v=[0] * 249996)", answered)).toBeNull();
      const error = await failure("tools.echo(v=[0] * 249997)");
      expect(error.message).toBe("echo: arguments: $.v: more than 250000 values");
    });

    it("when the arguments are one byte larger than allowed, and not when they are as large", async () => {
      // {"v":"..."} is eight bytes around the text.
      const size = 2 * 1024 * 1024 - 8;
      expect(
        await value(`len(tools.echo(v='x' * ${size})['v'])`, { onCall: (_call, args) => args }),
      ).toBe(size);
      const error = await failure(`tools.echo(v='x' * ${size + 1})`);
      expect(error.message).toBe(
        "echo: the arguments are 2097153 bytes of JSON, at most 2097152 are taken",
      );
    });
  });
});
