import { describe, expect, it } from "vitest";
import { collect } from "../support/programs.ts";
import { noPython, startCpython } from "../support/toolchain.ts";
import { executorSuite } from "./executor.suite.ts";

describe.skipIf(noPython)("cpython", () => {
  executorSuite(() => startCpython(), {
    language: "python",
    values: [
      { title: "gives `result`", code: "result = 2 + 2", json: "4", text: "4" },
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
      { title: "keeps every digit of an integer", code: "2**64 + 1", json: "18446744073709551617" },
      { title: "tells 5 from 5.0", code: "[5, 5.0]", json: "[5,5.0]" },
      { title: "keeps unicode", code: '"é日\\u0000"', json: '"é日\\u0000"' },
      { title: "keeps -0.0", code: "-0.0", json: "-0.0" },
      { title: "takes tuples as arrays", code: "(1, (2,))", json: "[1,[2]]" },
      {
        title: "takes 64 levels",
        code: "x = []\nfor _ in range(63): x = [x]\nx",
        json: "[".repeat(64) + "]".repeat(64),
      },
      { title: "gives text only for NaN", code: "float('nan')", json: undefined, text: "nan" },
      {
        title: "gives text only for an integer that no double can hold",
        code: "10**309",
        json: undefined,
        text: `1${"0".repeat(309)}`,
      },
      { title: "keeps an integer of 300 digits", code: "10**300", json: `1${"0".repeat(300)}` },
      { title: "gives text only for a set", code: "{1}", json: undefined, text: "{1}" },
      {
        title: "gives text only for keys that are not text",
        code: "{1: 2}",
        json: undefined,
        text: "{1: 2}",
      },
      {
        title: "gives text only beyond 64 levels",
        code: "x = []\nfor _ in range(64): x = [x]\nx",
        json: undefined,
      },
      {
        title: "gives text only for a cycle",
        code: "x = []\nx.append(x)\nx",
        json: undefined,
        text: "[[...]]",
      },
      {
        title: "gives text only for a lone surrogate",
        code: "'\\ud800'",
        json: undefined,
        text: "\\ud800",
      },
      {
        title: "gives text only for an integer of 5,000 digits or all of them",
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
        code: "import csv, sqlite3, zoneinfo, wave, colorsys\nsqlite3.connect(':memory:').execute('select 1').fetchone()[0]",
        json: "1",
      },
      {
        title: "knows time zones",
        code: "import zoneinfo, datetime\ndatetime.datetime(2026,7,1,tzinfo=zoneinfo.ZoneInfo('Europe/Paris')).utcoffset().seconds",
        json: "7200",
      },
      {
        title: "waits for threads",
        code: "import threading, time\ndone = []\ndef f():\n  time.sleep(.05); done.append(1)\nthreading.Thread(target=f).start()\nresult = done",
        json: "[1]",
      },
      { title: "is __main__", code: "__name__", json: '"__main__"' },
      {
        title: "has no input",
        code: "try:\n  input()\nexcept EOFError:\n  result = 'end'",
        json: '"end"',
      },
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
    ],
    failures: [
      {
        title: "reports an exception with its line",
        code: "x = 1\n1 / 0",
        reason: "exception",
        type: "ZeroDivisionError",
        line: 2,
      },
      {
        title: "reports the innermost line of its own",
        code: "import json\ndef f():\n  json.loads('{')\nf()",
        reason: "exception",
        type: "JSONDecodeError",
        line: 3,
      },
      {
        title: "reports an exception in a top-level await",
        code: "import asyncio\nawait asyncio.sleep(0)\nraise ValueError('x')",
        reason: "exception",
        type: "ValueError",
        line: 3,
      },
      {
        title: "reports a syntax error with its line",
        code: "x = 1\ndef f(:\n",
        reason: "syntax",
        type: "SyntaxError",
        line: 2,
      },
      { title: "reports a null byte as a syntax error", code: "x = '\0'", reason: "syntax" },
      {
        title: "reports a failing exit",
        code: "import sys\nsys.exit(3)",
        reason: "exception",
        type: "SystemExit",
        line: 2,
      },
      {
        title: "reports memory",
        code: "x = 'a' * (300 * 2**20)",
        reason: "memory",
        type: "MemoryError",
        limits: { memoryBytes: 64 * 2 ** 20 },
      },
      {
        title: "reports memory that many small objects took",
        code: "x = []\nwhile True: x.append([])",
        reason: "memory",
        limits: { memoryBytes: 32 * 2 ** 20 },
      },
      {
        title: "reports endless recursion",
        code: "def f(): return f()\nf()",
        reason: "exception",
        type: "RecursionError",
      },
      {
        title: "reports a killed guest as crashed",
        code: "import signal\nsignal.raise_signal(signal.SIGSEGV)",
        reason: "crashed",
      },
      {
        title: "reports a guest that aborts as crashed",
        code: "import os\nos.abort()",
        reason: "crashed",
      },
      {
        title: "reports a guest that vanishes as crashed, whatever its status",
        code: "import os\nos._exit(0)",
        reason: "crashed",
      },
      {
        title: "reports a guest that reads invalid memory as crashed",
        code: "import ctypes\nctypes.string_at(0)",
        reason: "crashed",
      },
      {
        title: "reports threads beyond the limit",
        code: "import threading, time\nfor _ in range(9): threading.Thread(target=time.sleep, args=(1,), daemon=True).start()",
        reason: "exception",
        type: "RuntimeError",
      },
      {
        title: "reports a result that is too large",
        code: "'a' * 2**21",
        reason: "exception",
        type: "ResultTooLarge",
      },
      {
        title: "reports an exception whose str() fails",
        code: "class E(Exception):\n  def __str__(self): raise ValueError()\nraise E()",
        reason: "exception",
        type: "E",
      },
      {
        title: "reports an exception group or its like",
        code: "raise BaseException('base')",
        reason: "exception",
        type: "BaseException",
      },
    ],
    spin: "while True: pass",
    sleep: "import time\ntime.sleep(3600)",
    readyThenSpin: "print('ready')\nwhile True: pass",
    flood: "while True: print('x' * 999)",
    interleaved:
      "import sys\nsys.stdout.write('a'); sys.stdout.write('b'); sys.stderr.write('c'); sys.stdout.write('d')",
    unicode: "import sys\nfor _ in range(20000): sys.stdout.write('é日本🙂')",
    litter:
      "import builtins, sys, json, os, random\nbuiltins.leak = 1; sys.leak = 1; json.dumps = None; os.environ['LEAK'] = '1'; sys.modules['leak'] = sys\nsys.path.append('/leak'); int.leak if hasattr(int, 'leak') else None\nclass L(str): pass\nsys.setrecursionlimit(50000)",
    isClean:
      "import builtins, sys, json, os\nnot hasattr(builtins, 'leak') and not hasattr(sys, 'leak') and json.dumps is not None and not os.environ and 'leak' not in sys.modules and '/leak' not in sys.path and sys.getrecursionlimit() == 1000",
    random: "import random\nrandom.random()",
  });

  it("shows a traceback of the guest's own lines only", async () => {
    await using executor = await startCpython();
    const code = "import json\ndef f():\n  return json.loads('{')\nf()";
    const { result } = await collect(executor, code);
    if (result.status === "completed") expect.fail("it must fail");
    expect(result.error.traceback).toContain('File "<program>", line 4, in <module>');
    expect(result.error.traceback).toContain("return json.loads('{')");
    expect(result.error.traceback.match(/File "/g)).toHaveLength(2);
    expect(result.error.traceback).not.toMatch(/runner|json\/|asyncio/);
  });

  it("brings native output too, best effort", async () => {
    await using executor = await startCpython();
    const { stdout, stderr } = await collect(
      executor,
      "import os\nos.write(1, b'raw\\n'); os.write(2, b'err\\n')\nprint('py')",
    );
    expect(stdout).toBe("py\nraw\n");
    expect(stderr).toBe("err\n");
  });
});
