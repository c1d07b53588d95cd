import { describe, expect } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import type { RunOptions } from "../support/programs.ts";
import { answerByName as onCall, pythonTools as tools } from "../support/python-tools.ts";
import type { Capability } from "./programs/programs.ts";
import { python } from "./programs/python.ts";
import { type EngineTraits, jsonOf, setUpSubject } from "./suite/subject.ts";

/** Ways to call a tool from Python: all give what it answers. */
const forms: readonly {
  readonly title: string;
  readonly code: string;
  readonly needs?: Capability;
}[] = [
  { title: "by subscript and run", code: "tools['weather'].run(location='NYC')" },
  { title: "by attribute", code: "tools.weather(location='NYC')" },
  { title: "by position", code: "tools.weather('NYC')" },
  { title: "with run_sync", code: "tools.weather.run_sync(location='NYC')" },
  { title: "with await at the top level", code: "await tools.weather(location='NYC')" },
  { title: "with run_async and await", code: "await tools.weather.run_async(location='NYC')" },
  { title: "as an awaitable result", code: "result = tools.weather.run_async(location='NYC')" },
  {
    title: "as a last expression beside a top-level await",
    code: "import asyncio\nawait asyncio.sleep(0)\ntools.weather(location='NYC')",
  },
  {
    title: "from async main",
    code: "import asyncio\nasync def main():\n  return await tools.weather(location='NYC')\nasyncio.run(main())",
  },
  {
    title: "given to asyncio.run",
    code: "import asyncio\nasyncio.run(tools.weather.run_async(location='NYC'))",
  },
  {
    title: "as a task",
    code: "import asyncio\nasync def main():\n  return await asyncio.create_task(tools.weather(location='NYC'))\nasyncio.run(main())",
  },
  {
    title: "as the value of an awaitable",
    code: "async def main():\n  return tools.weather(location='NYC')\nmain()",
  },
  {
    title: "from a sync helper that async main awaits",
    code: "import asyncio\ndef helper():\n  return tools.weather(location='NYC')\nasync def main():\n  return await helper()\nasyncio.run(main())",
  },
  {
    title: "with run_sync within a loop",
    code: "import asyncio\nasync def main():\n  return tools.weather.run_sync(location='NYC')\nasyncio.run(main())",
  },
  {
    title: "from a thread",
    code: "import threading\nout = []\nt = threading.Thread(target=lambda: out.append(tools.weather(location='NYC')))\nt.start(); t.join()\nout[0]",
    needs: "threads",
  },
  {
    title: "from a thread beside a running loop",
    code: "import asyncio\nawait asyncio.to_thread(lambda: tools.weather(location='NYC'))",
    needs: "threads",
  },
  {
    title: "from a loop in a thread beside a loop",
    code: "import asyncio\nasync def inner():\n  return await tools.weather(location='NYC')\nawait asyncio.to_thread(lambda: asyncio.run(inner()))",
    needs: "threads",
  },
  { title: "by its name in the module `tools`", code: "from tools import weather\nweather('NYC')" },
  { title: "by its name, awaited", code: "from tools import weather\nawait weather('NYC')" },
  { title: "of the module `tools`", code: "import tools as t\nt['weather'].run(location='NYC')" },
  {
    title: "from async main beside a top-level await",
    code: "import asyncio\nasync def main():\n  return await tools.weather(location='NYC')\nawait asyncio.sleep(0)\nasyncio.run(main())",
  },
  {
    title: "for asyncio.run beside a top-level await",
    code: "import asyncio\nawait asyncio.sleep(0)\nasyncio.run(tools.weather(location='NYC'))",
  },
  {
    title: "after a loop has ended",
    code: "import asyncio\nasyncio.run(asyncio.sleep(0))\ntools.weather(location='NYC')",
  },
];

/** How calls that were given up are survived: 5 each. */
const givenUp: readonly (readonly [title: string, code: string])[] = [
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
];

/** What only Python has to say about calling tools; the rest is in the suite of every engine. */
export function pythonToolsSuite(create: () => Promise<Executor>, traits: EngineTraits = {}): void {
  const subject = setUpSubject(create, python, traits);
  const { run, it } = subject;
  const value = async (code: string, options: RunOptions = {}): Promise<unknown> =>
    JSON.parse(jsonOf(await run(code, { tools, onCall, ...options })) ?? "");

  describe("are called", () => {
    for (const { title, code, needs } of forms) {
      it(needs, title, async () => {
        expect(await value(code)).toEqual({ tool: "weather", location: "NYC" });
      });
    }

    for (const [title, code, expected] of [
      ["by the name of a method of a dict", "tools.keys(a=1)", { tool: "keys", a: 1 }],
      [
        "with arguments named like some of ours",
        "tools.echo(self=1, name=2, tool_=3)",
        { tool: "echo", self: 1, name: 2, tool_: 3 },
      ],
      [
        "without await within a loop, where they are always sync",
        "import asyncio\nasync def main():\n  return tools.blocking(a=1)\nasyncio.run(main())",
        { tool: "blocking", a: 1 },
      ],
      [
        "with await without a loop, where they are always async",
        "import asyncio\ncall = tools.awaited(a=1)\nasync def main():\n  return await call\nasyncio.run(main())",
        { tool: "awaited", a: 1 },
      ],
      [
        "to find tools, as methods too",
        "tools['__search__'].run(query='x')",
        { tool: "__search__", query: "x" },
      ],
    ] as const) {
      it(undefined, title, async () => {
        expect(await value(code)).toEqual(expected);
      });
    }

    it("threads", "concurrently from threads, answered in any order", async () => {
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

    for (const [title, code] of givenUp) {
      it(undefined, title, async () => {
        const mixed: RunOptions["onCall"] = async (_call, args) => {
          if (args.fail) throw new Error("failed");
          if (args.slow) await new Promise((resolve) => setTimeout(resolve, 150));
          return args;
        };
        expect(await value(code, { onCall: mixed })).toBe(5);
      });
    }
  });

  it(undefined, "tells 5 from 5.0, both ways", async () => {
    const seen: string[] = [];
    const code =
      "given = dict(a=5, b=5.0, c=-0.0)\nback = tools.echo(**given)\n[repr(back[k]) for k in 'abc']";
    const note: RunOptions["onCall"] = ({ argumentsJson }) => {
      seen.push(argumentsJson);
      return { a: 5, b: 0.5, c: -0 };
    };
    expect(await value(code, { onCall: note })).toEqual(["5", "0.5", "-0.0"]);
    expect(seen).toEqual(['{"a":5,"b":5.0,"c":-0.0}']);
  });

  it("threads", "have a key that says where in the program they were called", async () => {
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
      const note: RunOptions["onCall"] = (call, { n }) => {
        found[String(n)] = call.callKey;
        return null;
      };
      await run(code, { tools, onCall: note });
      return found;
    };
    const first = await keys();
    expect(first).toMatchObject({ main: "0/0", "in main task": "0.0/0", last: "0/1" });
    expect(first["task0.1"]).toBe(`${first["task0.0"]?.slice(0, -1)}1`);
    expect(new Set(Object.values(first)).size).toBe(10);
    expect(await keys()).toEqual(first);
  });

  it(
    undefined,
    "have keys of their own in loops within a loop, in whatever order those begin",
    async () => {
      const keys = async (delays: string) => {
        const found: Record<string, string> = {};
        const note: RunOptions["onCall"] = (call, { n }) => {
          found[String(n)] = call.callKey;
          return null;
        };
        const code = `
import asyncio
async def inner(n):
    await asyncio.gather(tools.echo(n=f'{n}.0'), tools.echo(n=f'{n}.1'))
async def outer(n, delay):
    await asyncio.sleep(delay)
    asyncio.run(inner(n))
    await tools.echo(n=n)
await tools.echo(n='first')
await asyncio.gather(*[outer(n, delay) for n, delay in enumerate(${delays})])
await tools.echo(n='last')`;
        await run(code, { tools, onCall: note });
        return found;
      };
      const first = await keys("[0, 0.05]");
      expect(first).toMatchObject({ first: "0.0/0", last: "0.0/1" });
      expect(new Set(Object.values(first)).size).toBe(8);
      expect(await keys("[0.05, 0]")).toEqual(first);
    },
  );

  it(undefined, "say what they are where they are imported as modules", async () => {
    const code = "try:\n  import weather\nexcept ImportError as e:\n  result = str(e)";
    const said = "No module named 'weather': weather is a tool, call tools.weather(...)";
    expect(await value(code)).toBe(said);
  });

  it(undefined, "cannot be added, replaced or removed by the program", async () => {
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
}
