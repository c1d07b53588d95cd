import { describe, expect } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import type { RunOptions } from "../support/programs.ts";
import { answerByName as onCall, pythonTools as tools } from "../support/python-tools.ts";
import { python } from "./programs/python.ts";
import { type EngineTraits, failureOf, jsonOf, setUpSubject } from "./suite/subject.ts";

/** What only Python has to say about tool calls that fail; the rest is in the suite of every engine. */
export function pythonToolErrorsSuite(
  create: () => Promise<Executor>,
  traits: EngineTraits = {},
): void {
  const { run, it } = setUpSubject(create, python, traits);
  const failure = async (code: string, options: RunOptions = {}) =>
    failureOf(await run(code, { tools, onCall, ...options }));
  const fails: RunOptions["onCall"] = () => {
    throw new Error("no such city");
  };

  describe("fail", () => {
    it(undefined, "with a traceback of the program's own line only", async () => {
      const code = "x = 1\ntools.weather(location='Nowhere')";
      const error = await failure(code, { onCall: fails });
      expect(error.traceback.match(/File "/g)).toHaveLength(1);
    });

    it(undefined, "as an ordinary exception where they are awaited, too", async () => {
      const code =
        "try:\n  await tools.weather(location='x')\nexcept Exception as e:\n  result = type(e).__name__";
      expect(jsonOf(await run(code, { tools, onCall: fails }))).toBe('"ToolError"');
    });

    for (const [code, message] of [
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
    ] as const) {
      it(undefined, `${code} with a message that tells how to mend it`, async () => {
        const error = await failure(code);
        expect(error.type).toBe("ToolError");
        expect(error.message).toContain(message);
      });
    }

    for (const use of [
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
    ]) {
      it(undefined, `with the advice to await, where that was forgotten: ${use}`, async () => {
        const isStatement = use.startsWith("if");
        const body = isStatement ? `${use}\n1` : `x = ${use}\nx`;
        const code = `import json, asyncio\nawait asyncio.sleep(0)\ncall = tools.weather(location='NYC')\n${body}`;
        const error = await failure(code);
        expect(error.type).toBe("ToolError");
        expect(error.message).toContain("add await, or use .run_sync");
      });
    }

    for (const [expression, message] of [
      ["float('nan')", "$.v: nan is not a JSON number"],
      ["[10**309]", "$.v[0]: the integer is out of range, at most 308 digits are taken"],
      ["{'a': [10**5000]}", "$.v.a[0]: the integer is out of range, at most 308 digits are taken"],
      ["float('-inf')", "$.v: -inf is not a JSON number"],
      ["{1: 2, '1': 3}", "$.v: two keys are written '1'"],
      ["len", "$.v: builtin_function_or_method is not a JSON value"],
      ["'\\ud800'", "$.v: the text has a lone surrogate"],
      ["[1, [2, object()]]", "$.v[1][1]: object is not a JSON value"],
      ["{'a b': {'c': len}}", '$.v["a b"].c: builtin_function_or_method is not a JSON value'],
    ] as const) {
      it(undefined, `where an argument cannot cross, with its place: ${expression}`, async () => {
        const error = await failure(`tools.echo(v=${expression})`);
        expect(error).toMatchObject({ type: "ToolError", message: `echo: arguments: ${message}` });
      });
    }

    for (const [title, make, message] of [
      ["nested 10,000 deep", "x = []\nfor _ in range(10000): x = [x]", "nested deeper than 64"],
      ["a cycle", "x = []\nx.append(x)", "the value contains itself"],
    ] as const) {
      it(undefined, `where an argument is ${title}`, async () => {
        expect((await failure(`${make}\ntools.echo(v=x)`)).message).toContain(message);
      });
    }
  });
}
