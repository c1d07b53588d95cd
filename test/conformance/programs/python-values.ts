import type { ValueCase } from "./programs.ts";

/** What only Python has to say about values. */
export const pythonValues: readonly ValueCase[] = [
  { title: "gives `result`", code: "result = 2 + 2", json: "4", text: "4", type: "int" },
  { title: "gives the last expression", code: "x = 20\nx + 1", json: "21" },
  { title: "prefers `result` to the last expression", code: "result = 1\n2", json: "1" },
  { title: "gives null without a value", code: "x = 1", json: "null", text: "None" },
  { title: "gives null for an empty program", code: "# nothing", json: "null" },
  {
    title: "awaits at the top level",
    code: "import asyncio\nawait asyncio.sleep(0, 5)",
    json: "5",
  },
  {
    title: "awaits an awaitable result",
    code: "async def f():\n  return 6\nresult = f()",
    json: "6",
  },
  {
    title: "runs asyncio.run in a program of its own",
    code: "import asyncio\nasync def f():\n  return 7\nasyncio.run(f())",
    json: "7",
  },
  {
    title: "gathers concurrently",
    code: "import asyncio\nawait asyncio.gather(asyncio.sleep(.01, 1), asyncio.sleep(.01, 2))",
    json: "[1,2]",
  },
  {
    title: "waits for a time with asyncio",
    code: "import asyncio\ntry:\n  await asyncio.wait_for(asyncio.sleep(60), .01)\nexcept asyncio.TimeoutError:\n  result = 'late'",
    json: '"late"',
  },
  { title: "tells 5 from 5.0", code: "[5, 5.0]", json: "[5,5.0]" },
  { title: "keeps -0.0", code: "-0.0", json: "-0.0" },
  { title: "takes tuples as arrays", code: "(1, (2,))", json: "[1,[2]]" },
  {
    title: "gives null for NaN",
    code: "float('nan')",
    json: "null",
    text: "nan",
    type: "float",
  },
  {
    title: "gives the text of an integer that no double can hold",
    code: "10**309",
    json: undefined,
    text: `1${"0".repeat(309)}`,
  },
  {
    title: "gives text only where two keys would be one",
    code: "{1: 2, '1': 3}",
    json: undefined,
    text: "{1: 2, '1': 3}",
    note: "the value has no JSON: $: two keys are written '1'",
  },
  {
    title: "gives text only for keys that have no text of their own",
    code: "[{(1, 2): 3}]",
    json: undefined,
    note: "the value has no JSON: $[0]: the key (1, 2) is tuple, not text, a number, a boolean or None",
  },
  {
    title: "says of an object of a class why it has no value",
    code: "class Thing: pass\n{'things': [Thing()]}",
    json: undefined,
    note: "the value has no JSON: $.things[0]: Thing is not a JSON value",
  },
  {
    title: "says of a coroutine within a value what is missing",
    code: "async def f(): return 1\nimport warnings\nwarnings.simplefilter('ignore')\n[f()]",
    json: undefined,
    note: "the value has no JSON: $[0]: coroutine is not a JSON value: add await",
  },
  {
    title: "gives a MiB of JSON however many values it has",
    code: "[0] * 524_287",
    json: `[${"0,".repeat(524_286)}0]`,
  },
  {
    title: "gives the text of a cycle",
    code: "x = []\nx.append(x)\nx",
    json: undefined,
    text: "[[...]]",
  },
  {
    title: "gives the text of a lone surrogate",
    code: "'\\ud800'",
    json: undefined,
    text: "\\ud800",
  },
  {
    title: "turns an integer of 4,000 digits to text",
    code: "len(str(10**4000))",
    json: "4001",
  },
  {
    title: "takes sys.exit(0) as a success without a result",
    code: "import sys\nresult = 5\nsys.exit(0)",
    json: "null",
  },
  {
    title: "finds modules that were not loaded before",
    code: "import csv, wave, colorsys\ncolorsys.rgb_to_hsv(0, 0, 1)[2]",
    json: "1",
  },
  {
    title: "has a database in memory",
    code: "import sqlite3\nsqlite3.connect(':memory:').execute('select 1').fetchone()[0]",
    json: "1",
    needs: "sqlite",
  },
  {
    title: "knows time zones",
    code: "import zoneinfo, datetime\ndatetime.datetime(2026,7,1,tzinfo=zoneinfo.ZoneInfo('Europe/Paris')).utcoffset().seconds",
    json: "7200",
    needs: "time zones",
  },
  {
    title: "waits for threads",
    code: "import threading, time\ndone = []\ndef f():\n  time.sleep(.05); done.append(1)\nthreading.Thread(target=f).start()\nresult = done",
    json: "[1]",
    needs: "threads",
  },
  { title: "is __main__", code: "__name__", json: '"__main__"' },
  {
    title: "has no input",
    code: "try:\n  input()\nexcept EOFError:\n  result = 'end'",
    json: '"end"',
  },
  { title: "has an empty environment", code: "import os\ndict(os.environ)", json: "{}" },
  {
    title: "refuses to change context",
    code: "try:\n  context['a'] = 1\nexcept TypeError as e:\n  result = str(e)",
    json: '"context and config are read-only"',
  },
  {
    title: "pickles a class of its own",
    code: "import pickle\nclass A: pass\npickle.loads(pickle.dumps(A())).__class__ is A",
    json: "true",
  },
  {
    title: "does not see the runner's modules",
    code: "import sys\nsorted(set(sys.modules) & {'frames','runner','lock','zygote','guest','output','values'})",
    json: "[]",
  },
];
