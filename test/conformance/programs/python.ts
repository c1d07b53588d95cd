import type { Programs } from "./programs.ts";
import { pythonConversions } from "./python-conversions.ts";
import { pythonFailures } from "./python-failures.ts";
import { pythonSourceFailures, pythonSources } from "./python-sources.ts";
import { pythonValues } from "./python-values.ts";

const call = (tool: string, args: Readonly<Record<string, string>>) => {
  const members = Object.entries(args).map(([name, value]) => `${JSON.stringify(name)}: ${value}`);
  return `tools[${JSON.stringify(tool)}].run(**{${members.join(", ")}})`;
};
const levels = (depth: number) => `__import__('json').loads('[' * ${depth} + ']' * ${depth})`;
const folders = "['/tmp', '.', '/home', '/dev/shm', '/var/tmp']";

/** Python, for the suite. */
export const python: Programs = {
  language: "python",
  lacks: {},
  give: (expression) => `result = ${expression}`,
  printLine: (text) => `print(${JSON.stringify(text)})`,
  idleLine: "'0123456789012345678901234567890123456789'\n",
  longText: (length) => `'x' * ${length}`,
  zeros: (count) => `[0] * ${count}`,
  exact: {
    null: "None",
    true: "True",
    false: "False",
    zero: "0",
    integer: "42",
    "negative integer": "-7",
    "2**53 - 1": "2**53 - 1",
    "2**53 + 1": "2**53 + 1",
    "-2**63": "-2**63",
    "10**300": "10**300",
    "a tenth": "0.1",
    "1e308": "1e308",
    "5e-324": "5e-324",
    "empty text": "''",
    text: "'é日🙂'",
    escapes: "'\"\\\\\\n\\t\\0\\u2028'",
    "empty array": "[]",
    "empty object": "{}",
    nested: "{'b': [1, [2, [3]]], 'a': {'c': None, '': {}}}",
    "60 levels": levels(60),
    "64 levels": levels(64),
  },
  beyond: {
    NaN: "float('nan')",
    infinity: "float('inf')",
    "10**309": "10**309",
    "lone surrogate": "'\\ud800'",
    cycle: "(lambda x: (x.append(x), x)[1])([])",
    "65 levels": levels(65),
    function: "[len]",
  },
  values: [...pythonValues, ...pythonSources],
  conversions: pythonConversions,
  failures: [...pythonFailures, ...pythonSourceFailures],
  raises: {
    code: "def f():\n  x = 1\n  raise ValueError('boom')\nf()",
    type: "ValueError",
    message: "boom",
  },
  badSyntax: { code: "x = 1\ndef f(:\n", type: "SyntaxError" },
  crash: "import os\nos._exit(0)",
  spin: "while True: pass",
  sleep: "import time\ntime.sleep(3600)",
  readyThenSpin: "print('ready')\nwhile True: pass",
  catchesAll:
    "print('ready')\nwhile True:\n  try:\n    while True: pass\n  except BaseException:\n    pass",
  stuck: [
    { title: "a regular expression", code: "import re\nre.match('(a+)+$', 'a' * 64 + 'b')" },
    { title: "an endless sum", code: "sum(iter(int, 1))" },
  ],
  flood: "while True: print('x' * 999)",
  interleaved: "import sys\nprint('a')\nprint('b')\nprint('c', file=sys.stderr)\nprint('d')",
  unicode: "for _ in range(20000): print('é日本🙂')",
  memory: {
    big: "x = 'a' * (300 * 2**20)",
    many: "x = []\nwhile True: x.append([])",
    doubling: "x = 'ab'\nwhile True: x += x",
    survived: "try:\n  'a' * (300 * 2**20)\nexcept MemoryError:\n  result = 5",
  },
  recursion: { code: "def f(): return f()\nf()", type: "RecursionError" },
  leaks: {
    globals: {
      litter:
        "import builtins, sys\nleak = 1\nbuiltins.leak = 1\nsys.leak = 1\nsys.setrecursionlimit(50000)",
      isClean:
        "import builtins, sys\n'leak' not in globals() and not hasattr(builtins, 'leak') and not hasattr(sys, 'leak') and sys.getrecursionlimit() == 1000",
    },
    library: {
      litter:
        "import json, sys, math\njson.dumps = None\nmath.floor = None\nsys.modules['leak'] = sys\nsys.path.append('/leak')",
      isClean:
        "import json, sys, math\nresult = json.dumps is not None and math.floor(1.5) == 1 and 'leak' not in sys.modules and '/leak' not in sys.path",
    },
    prototypes: {
      litter:
        "import json, threading, collections\njson.JSONEncoder.default = None\nthreading.Thread.leak = 1\ncollections.OrderedDict.leak = 1\ncollections.abc.Mapping.register(int)",
      isClean:
        "import json, threading, collections\njson.JSONEncoder.default is not None and not hasattr(threading.Thread, 'leak') and not hasattr(collections.OrderedDict, 'leak') and not isinstance(5, collections.abc.Mapping)",
    },
    files: {
      litter: `for folder in ${folders}:\n  try:\n    open(folder + '/codemode-leak', 'w').close()\n  except OSError:\n    pass`,
      isClean: `import os\nnot any(os.path.exists(folder + '/codemode-leak') for folder in ${folders})`,
    },
    timers: {
      litter:
        "import atexit, threading, time\ndef late():\n  time.sleep(.03)\n  print('leaked')\natexit.register(late)\ntry:\n  threading.Thread(target=late, daemon=True).start()\nexcept RuntimeError:\n  pass\n1",
      isClean: "import time\ntime.sleep(.1)\nTrue",
    },
    environment: {
      litter: "import os\nos.environ['LEAK'] = '1'\nos.putenv('LEAK', '1')",
      isClean: "import os\n'LEAK' not in os.environ and os.getenv('LEAK') is None",
    },
  },
  random: "__import__('random').random()",
  context: "[context, config]",
  tools: {
    call,
    caught: (tool, args) =>
      `try:\n  result = ['ok', ${call(tool, args)}]\nexcept Exception as e:\n  result = [type(e).__name__, str(e), getattr(e, 'tool', None), getattr(e, 'kind', None)]`,
    sequential: (count) => `for n in range(${count}): print(tools.echo(n=n))`,
    parallel: (count) =>
      `import asyncio\nawait asyncio.gather(*[tools.echo(n=n) for n in range(${count})])`,
    onLine2: "x = 1\ntools.echo()",
    printAround: "import sys\nsys.stdout.write('a')\ntools.echo()\nsys.stdout.write('b')",
    between: "import time\ntools.echo(n=1)\nprint('between')\ntime.sleep(3600)",
    leftOpen: "tools.echo.run_async(n=1)\n5",
    hoard: "x = []\nwhile True: x.append(tools.echo())",
    lengthOfAnswer: "len(tools.echo())",
    endless:
      "n = 0\nwhile True:\n  try:\n    tools.echo(n=n)\n  except Exception:\n    pass\n  n += 1",
  },
};
