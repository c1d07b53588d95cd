import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Executor } from "../../src/executors/executor.ts";
import { Codemode, defineTool, unwrap } from "../../src/index.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { noPython, startCpython } from "../support/toolchain.ts";

const mebibyte = 1024 * 1024;

describe.skipIf(noPython)("real Python and tools of the application", () => {
  let executor: Executor;
  let server: TestServer;
  let codemode: Codemode;
  let got: unknown;
  let asked = 0;

  beforeAll(async () => {
    executor = await startCpython();
    const settings = { isolation: { require: "T0" as const } };
    server = await startServer({ executors: [executor], settings });
    codemode = Codemode.connect({ url: server.url });
    codemode.registry.register([
      defineTool({
        name: "echo",
        description: "Gives back what it gets",
        execute: ({ value }) => {
          got = value;
          return value;
        },
      }),
      defineTool({
        name: "give",
        description: "Gives what JSON cannot hold",
        inputSchema: z.object({ what: z.string() }),
        execute: ({ what }) => gifts[what],
      }),
      defineTool({
        name: "weather",
        description: "Current weather of a city",
        inputSchema: z.object({
          location: z.string(),
          units: z.enum(["celsius", "fahrenheit"]).default("celsius"),
        }),
        execute: ({ location, units }) => {
          asked += 1;
          return `${location} in ${units}`;
        },
      }),
      defineTool({
        name: "list_orders",
        description: "Orders of a customer",
        inputSchema: z.object({ customer: z.string() }),
        execute: ({ customer }) => [
          { customer, days_late: 2 },
          { customer, days_late: 9 },
          { customer, days_late: 5 },
        ],
      }),
      defineTool({
        name: "quote",
        description: "Price of a share",
        inputSchema: z.object({ symbol: z.string() }),
        execute({ symbol }) {
          if (symbol !== "ACME") throw new Error("no such symbol");
          return { price: 12.5 };
        },
      }),
    ]);
  });
  afterAll(async () => {
    await codemode.close();
    await server[Symbol.asyncDispose]();
    await executor[Symbol.asyncDispose]();
  });

  const gifts: Record<string, unknown> = {
    nan: { list: [1, Number.NaN] },
    set: { tags: new Set(["a"]) },
    bytes: new Uint8Array(3),
    large: "x".repeat(2 * mebibyte - 1),
    float: 2 ** 64,
    deep: Array.from({ length: 70 }).reduce<unknown>((inner) => [inner], 1),
  };

  const run = async (code: string) => unwrap(await codemode.execute(code));

  it.each<[string, unknown]>([
    ["2**53 - 1", 2 ** 53 - 1],
    ["2**53 + 1", 2n ** 53n + 1n],
    ["-2**64", -(2n ** 64n)],
    ["'é😀\\x00'", "é😀\u0000"],
    ["{'': [], 'a': {'b': None}}", { "": [], a: { b: null } }],
    ["[True, 0.1, 1e300]", [true, 0.1, 1e300]],
    ["'x' * (2**21 - 100)", "x".repeat(2 ** 21 - 100)],
  ])("pass %s to a tool and back, exactly", async (expression, value) => {
    const code = `value = ${expression}\nback = tools.echo(value=value)\n[back == value, type(back) is type(value)]`;
    expect(await run(code)).toEqual([true, true]);
    expect(got).toEqual(value);
  });

  it("pass an integral float of JavaScript's as the integer that it is", async () => {
    expect(await run("tools.give(what='float') == 2**64")).toBe(true);
  });

  it.each<[string, string]>([
    ["tools.echo(value=[float('nan')])", "nan"],
    ["tools.echo(value={'a': object()})", "a"],
    ["tools.echo(value=object())", "value"],
    ["tools.echo(value='x' * (2**21 + 1))", "2097152"],
    ["tools.give(what='nan')", "$.list[1]: NaN is not a JSON number"],
    ["tools.give(what='set')", "$.tags: Set is not a JSON value"],
    ["tools.give(what='bytes')", "$: Uint8Array is not a JSON value"],
    ["tools.give(what='large')", "2097153 bytes of JSON, at most 2097152"],
    ["tools.give(what='deep')", "nested deeper than 64"],
    [
      "tools.weather(location='Bonn', units='kelvin')",
      '$.units: Invalid option: expected one of "celsius"|"fahrenheit"',
    ],
    ["tools.weather(location=5)", "$.location: Invalid input: expected string, received number"],
    [
      "tools.weather(place='Bonn')",
      "weather(location: str, units: Literal['celsius', 'fahrenheit'] = 'celsius') -> Any",
    ],
    ["tools.quote(symbol='X')", "no such symbol"],
  ])("refuse %s by a ToolError that says why", async (call, message) => {
    const code = `try:\n    ${call}\n    said = None\nexcept ToolError as error:\n    said = str(error)\nsaid`;
    expect(await run(code)).toContain(message);
  });

  it("answer 150 calls that are gathered at once, 100 at a time", async () => {
    const gathered =
      "import asyncio\nsum(await asyncio.gather(*(tools.echo(value=n) for n in range(150))))";
    expect(await run(gathered)).toBe(11_175);
  });

  it("take None for what is left out, and nothing for what is null", async () => {
    expect(await run("tools.weather(location='Bonn', units=None)")).toBe("Bonn in celsius");
    const nullable = defineTool({
      name: "nullable",
      description: "",
      inputSchema: z.object({
        a: z.string().nullable(),
        b: z.string().nullish(),
        c: z.int().optional(),
      }),
      execute: (input) => ({ ...input }),
    });
    const code = "[tools.nullable(), tools.nullable(a='x', b=None, c=None)]";
    expect(unwrap(await codemode.execute(code, { tools: [nullable] }))).toEqual([
      { a: null },
      { a: "x", b: null },
    ]);
  });

  it("take arguments by position, in the order of the signature", async () => {
    expect(await run("tools.weather('Bonn', 'fahrenheit')")).toBe("Bonn in fahrenheit");
    expect(await run("tools['weather'].run(location='Bonn')")).toBe("Bonn in celsius");
  });

  it("run the examples of the prompt", async () => {
    const prompt = await codemode.toolPrompt();
    const [first = "", second = ""] = [...prompt.matchAll(/```python\n(.*?)```/gs)].map(
      (match) => match[1],
    );
    const context = { client_id: "acme" };
    expect(unwrap(await codemode.execute(first, { context }))).toEqual({
      late: 2,
      worst: { customer: "acme", days_late: 9 },
    });
    expect(await run(second)).toEqual({ ACME: 12.5, INIT: "unknown: no such symbol" });
  });

  it.each([
    ["asks for it by name", "tools.weather(location='x')"],
    ["renames a tool that it has", "t = tools.echo\n    t._name = 'weather'\n    t(location='x')"],
    ["makes a tool of its own", "type(tools.echo)(tools._calls, 'weather')(location='x')"],
    [
      "sends the frame itself",
      'import os, struct, time\n    p = b\'{"seq":1,"key":"0/0","tool":"weather"}\\n{"location":"x"}\'\n    os.write(3, struct.pack(\'<IB\', len(p), 5) + p)\n    time.sleep(0.3)',
    ],
  ])("reach no tool that was not granted, though the program %s", async (_title, attempt) => {
    asked = 0;
    const code = `said = ''\ntry:\n    ${attempt}\nexcept ToolError as error:\n    said = str(error)\nsaid`;
    const said = unwrap(await codemode.execute(code, { tools: ["echo"] }));
    if (!attempt.includes("os.write")) expect(said).toContain("weather");
    expect(asked).toBe(0);
    expect(unwrap(await codemode.execute("[*tools]", { tools: ["echo"] }))).toEqual(["echo"]);
  });
});
