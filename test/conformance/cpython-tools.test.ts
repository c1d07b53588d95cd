import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { collect, jsonOf, type RunOptions } from "../support/programs.ts";
import { answerByName as onCall, pythonTools as tools } from "../support/python-tools.ts";
import { noPython, startCpython } from "../support/toolchain.ts";

describe.skipIf(noPython)("tools in cpython", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startCpython();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const value = (code: string, options: RunOptions = {}) =>
    jsonOf(executor, code, { tools, onCall, ...options });

  describe("are called", () => {
    it.each([
      ["by subscript and run", "tools['weather'].run(location='NYC')"],
      ["by attribute", "tools.weather(location='NYC')"],
      ["by position", "tools.weather('NYC')"],
      ["with run_sync", "tools.weather.run_sync(location='NYC')"],
      ["with await at the top level", "await tools.weather(location='NYC')"],
      ["with run_async and await", "await tools.weather.run_async(location='NYC')"],
      ["as an awaitable result", "result = tools.weather.run_async(location='NYC')"],
      [
        "as a last expression beside a top-level await",
        "import asyncio\nawait asyncio.sleep(0)\ntools.weather(location='NYC')",
      ],
      [
        "from async main",
        "import asyncio\nasync def main():\n  return await tools.weather(location='NYC')\nasyncio.run(main())",
      ],
      [
        "as a task",
        "import asyncio\nasync def main():\n  return await asyncio.create_task(tools.weather(location='NYC'))\nasyncio.run(main())",
      ],
      [
        "as the value of an awaitable",
        "async def main():\n  return tools.weather(location='NYC')\nmain()",
      ],
      [
        "from a sync helper that async main awaits",
        "import asyncio\ndef helper():\n  return tools.weather(location='NYC')\nasync def main():\n  return await helper()\nasyncio.run(main())",
      ],
      [
        "with run_sync within a loop",
        "import asyncio\nasync def main():\n  return tools.weather.run_sync(location='NYC')\nasyncio.run(main())",
      ],
      [
        "from a thread",
        "import threading\nout = []\nt = threading.Thread(target=lambda: out.append(tools.weather(location='NYC')))\nt.start(); t.join()\nout[0]",
      ],
      [
        "from a thread beside a running loop",
        "import asyncio\nawait asyncio.to_thread(lambda: tools.weather(location='NYC'))",
      ],
      [
        "from a loop in a thread beside a loop",
        "import asyncio\nasync def inner():\n  return await tools.weather(location='NYC')\nawait asyncio.to_thread(lambda: asyncio.run(inner()))",
      ],
      [
        "after a loop has ended",
        "import asyncio\nasyncio.run(asyncio.sleep(0))\ntools.weather(location='NYC')",
      ],
    ])("%s", async (_title, code) => {
      expect(await value(code)).toEqual({ tool: "weather", location: "NYC" });
    });

    it.each([
      [
        "a name that is no identifier, by subscript",
        "tools['my-tool'](a=1)",
        { tool: "my-tool", a: 1 },
      ],
      ["a tool named like a method of a dict", "tools.keys(a=1)", { tool: "keys", a: 1 }],
      [
        "an argument named like one of ours",
        "tools.echo(self=1, name=2, tool_=3)",
        { tool: "echo", self: 1, name: 2, tool_: 3 },
      ],
      [
        "a tool that is always sync, within a loop",
        "import asyncio\nasync def main():\n  return tools.blocking(a=1)\nasyncio.run(main())",
        { tool: "blocking", a: 1 },
      ],
      [
        "a tool that is always async, without a loop",
        "import asyncio\ncall = tools.awaited(a=1)\nasync def main():\n  return await call\nasyncio.run(main())",
        { tool: "awaited", a: 1 },
      ],
      ["a meta tool", "tools.__search__(query='x')", { tool: "__search__", query: "x" }],
    ])("%s", async (_title, code, expected) => {
      expect(await value(code)).toEqual(expected);
    });

    it("concurrently by gather: all are open before the first is answered", async () => {
      const open = Promise.withResolvers<void>();
      let count = 0;
      const slow: RunOptions["onCall"] = async (_call, args) => {
        count += 1;
        if (count === 10) open.resolve();
        await open.promise;
        return args.n;
      };
      const code = "import asyncio\nawait asyncio.gather(*[tools.echo(n=n) for n in range(10)])";
      expect(await value(code, { onCall: slow })).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it("concurrently from threads, answered in any order", async () => {
      const waiting: (() => void)[] = [];
      const backwards: RunOptions["onCall"] = (_call, args) =>
        new Promise((resolve) => {
          waiting.push(() => resolve(args.n));
          if (waiting.length === 5) for (const answer of waiting.reverse()) answer();
        });
      const code =
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(5) as pool:\n  result = list(pool.map(lambda n: tools.echo(n=n), range(5)))";
      expect(await value(code, { onCall: backwards })).toEqual([0, 1, 2, 3, 4]);
    });

    it.each([
      [
        "after one that timed out",
        "import asyncio\ntry:\n  await asyncio.wait_for(tools.echo(slow=True), 0.05)\nexcept asyncio.TimeoutError:\n  pass\nawait asyncio.sleep(0.3)\n(await tools.echo(v=5))['v']",
      ],
      [
        "after a group in which one failed",
        "import asyncio\ntry:\n  await asyncio.gather(tools.echo(slow=True), tools.echo(fail=True))\nexcept ToolError:\n  pass\nawait asyncio.sleep(0.3)\n(await tools.echo(v=5))['v']",
      ],
      [
        "after a loop that ended with one open",
        "import asyncio, time\nasync def main():\n  await asyncio.gather(tools.echo(slow=True), tools.echo(fail=True))\ntry:\n  asyncio.run(main())\nexcept ToolError:\n  pass\ntime.sleep(0.3)\ntools.echo(v=5)['v']",
      ],
    ])("%s", async (_title, code) => {
      const mixed: RunOptions["onCall"] = async (_call, args) => {
        if (args.fail) throw new Error("failed");
        if (args.slow) await new Promise((resolve) => setTimeout(resolve, 150));
        return args;
      };
      expect(await value(code, { onCall: mixed })).toBe(5);
    });

    it("until memory is used up by what they give, which is then said", async () => {
      const { result } = await collect(executor, "x = []\nwhile True: x.append(tools.echo())", {
        tools,
        onCall: () => "x".repeat(1_000_000),
        limits: { memoryBytes: 64 * 2 ** 20 },
      });
      expect(result).toMatchObject({ error: { reason: "memory" } });
    });

    it("by a name that is not listed, where a tool service may have it by now", async () => {
      expect(await value("tools.fresh(a=1)", { hasMoreTools: true })).toEqual({
        tool: "fresh",
        a: 1,
      });
    });

    it("with arguments of 8 MiB where so much is allowed, and not a byte more", async () => {
      await using roomy = await startCpython({ toolPayloadBytes: 8 * 2 ** 20 });
      const options = { tools, onCall: () => "taken", limits: { memoryBytes: 2 ** 29 } };
      const call = (bytes: number) => `tools.echo(v='x' * ${bytes - 8})`;
      expect(await jsonOf(roomy, call(8 * 2 ** 20), options)).toBe("taken");
      await expect(jsonOf(roomy, call(8 * 2 ** 20 + 1), options)).rejects.toThrow("8388609 bytes");
    });

    it("500 times in a row", async () => {
      expect(await value("sum(tools.echo(n=n)['n'] for n in range(500))")).toBe(124_750);
    });

    it("with what was printed before them ahead of them", async () => {
      const { events } = await collect(
        executor,
        "import sys\nsys.stdout.write('a')\ntools.echo()\nsys.stdout.write('b')",
        { tools, onCall },
      );
      const order = events.map((event) => (event.type === "output" ? event.text : event.type));
      expect(order).toEqual(["started", "a", "tool_call", "b", "ended"]);
    });
  });

  describe("carry values exactly", () => {
    it.each([
      "2**53 - 1",
      "2**53",
      "2**53 + 1",
      "-2**63",
      "2**64 + 1",
      "10**100",
      "0",
      "5",
      "''",
      "'é日🙂\\u2028\\0'",
      "[]",
      "{}",
      "None",
      "True",
      "[1, [2, [3]], {'a': None}]",
      "1e308",
      "5e-324",
      "0.1",
      "-0.0",
      "5.0",
    ])("from guest to tool and back: %s", async (expression) => {
      const code = `v = ${expression}\nw = tools.echo(v=v)['v']\n[w == v, type(w) is type(v) or isinstance(v, float), str(w) == str(v) or isinstance(v, float)]`;
      expect(await value(code)).toEqual([true, true, true]);
    });

    it("60 levels deep", async () => {
      const code = "v = []\nfor _ in range(59): v = [v]\ntools.echo(v=v)['v'] == v";
      expect(await value(code)).toBe(true);
    });

    it("tells 5 from 5.0 in what the host sees", async () => {
      const seen: string[] = [];
      const note: RunOptions["onCall"] = (call) => seen.push(call.argumentsJson);
      await value("tools.echo(a=5, b=5.0, c=-0.0, d=2**64+1)", { onCall: note });
      expect(seen).toEqual(['{"a":5,"b":5.0,"c":-0.0,"d":18446744073709551617}']);
    });
  });

  it("have a key that says where in the program they were called, the same in every run", async () => {
    const code = `
import asyncio, threading
tools.echo(n='main')
async def work(n):
    await asyncio.sleep(0.01 * (3 - n))
    await tools.echo(n=f'task{n}.0')
    await tools.echo(n=f'task{n}.1')
async def main():
    await asyncio.gather(*[work(n) for n in range(3)])
    await tools.echo(n='in main task')
asyncio.run(main())
t = threading.Thread(target=lambda: tools.echo(n='thread')); t.start(); t.join()
tools.echo(n='last')`;
    const keys = async () => {
      const found: Record<string, string> = {};
      await collect(executor, code, {
        tools,
        onCall: (call, args) => {
          found[String(args.n)] = call.callKey;
          return null;
        },
      });
      return found;
    };
    const first = await keys();
    expect(first).toMatchObject({ main: "0/0", "in main task": "0.0/0", last: "0/1" });
    expect(first["task0.1"]).toBe(`${first["task0.0"]?.slice(0, -1)}1`);
    expect(new Set(Object.values(first)).size).toBe(10);
    expect(await keys()).toEqual(first);
  });

  it("cannot be added, replaced or removed by the program", async () => {
    const code = `
def attempt(action):
    try:
        action(); return 'done'
    except TypeError as e:
        return str(e)
def item(): tools['x'] = 1
def attribute(): tools.x = 1
def delete(): del tools['weather']
[attempt(item) != 'done', attempt(attribute), attempt(delete) != 'done', sorted(tools), len(tools), 'weather' in tools]`;
    expect(await value(code)).toEqual([
      true,
      "tools are read-only",
      true,
      ["awaited", "blocking", "echo", "keys", "my-tool", "weather"],
      6,
      true,
    ]);
  });
});
