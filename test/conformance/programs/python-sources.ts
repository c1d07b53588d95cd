import type { FailureCase, ValueCase } from "./programs.ts";

const fenced = (code: string, word = "python") => `\`\`\`${word}\n${code}\n\`\`\``;

const sources: readonly [title: string, code: string, json: string][] = [
  [
    "a literal with the indent of its block",
    "\n    x = 1\n    if x:\n        x = 2\n    x\n    ",
    "2",
  ],
  ["an indent of tabs, after a comment", "\n\t# two\n\tx = 1\n\tx + 1", "2"],
  ["lines that share an indent after a flush first one", "x = 1\n    y = 2\n    x + y", "3"],
  [
    "texts of several lines, which lose the indent too",
    "    x = '''\n    a\n    '''\n    x",
    '"\\na\\n"',
  ],
  ["a text of several lines in a program that parses", "x = '''\n    a'''\nx", '"\\n    a"'],
  [
    "a byte order mark and carriage returns",
    "\ufeffx = 1\r\nif x:\r\n  x = '''a\r\nb'''\r\nx",
    '"a\\nb"',
  ],
  ["a fence", fenced("x = 20\nx + 1"), "21"],
  ["an indented program in an indented fence", "  ```py\n    x = 3\n    x\n  ```", "3"],
  ["a fence amid prose", `Sure! It's:\n\n${fenced("6 * 7")}\n\nThat prints 42.`, "42"],
  ["a fence that is not closed", "```python\n6 * 7", "42"],
  ["two fences in one piece", `${fenced("x = 4")}\n\n${fenced("x + 1")}`, "5"],
  ["fences of other languages", `${fenced("pip install x", "sh")}\nthen\n${fenced("7")}`, "7"],
  ["fences within texts of a fenced program", fenced("x = '''\n```js\n1\n```\n'''\nlen(x)"), "13"],
  ["fences within a text of a program that parses", "x = '''\n```\n1\n```\n'''\nlen(x)", "11"],
  [
    "names of tools from the module `tools`",
    "from tools import *\nimport tools\n[tools is globals()['tools'], 'weather' in tools]",
    "[true,false]",
  ],
];

const returns: readonly [title: string, code: string, json: string][] = [
  ["at the end", "x = 1\nreturn x + 1", "2"],
  ["before the last expression", "if True: return 1\n2", "1"],
  ["not taken", "if False: return 1\n2", "2"],
  ["rather than `result`", "result = 1\nreturn 2", "2"],
  ["without a value, which leaves `result`", "result = 3\nif result: return\nresult = 4", "3"],
  ["of None", "result = 3\nreturn None", "null"],
  [
    "out of loops in loops",
    "for i in range(9):\n  while True:\n    for j in range(9):\n      if i * j == 12: return [i, j]\n    else:\n      break\n9",
    "[2,6]",
  ],
  ["in the else of a loop", "for i in range(3): pass\nelse:\n  return i\n9", "2"],
  [
    "that a loop does not reach",
    "for i in range(3):\n  if i == 1: break\n  if i == 2: return 1\nelse:\n  return 2\n9",
    "9",
  ],
  [
    "past a bare except, to finally",
    "seen = []\ntry:\n  try:\n    return seen\n  except:\n    return 'caught'\nfinally:\n  seen.append('finally')",
    '["finally"]',
  ],
  [
    "from except, else and finally",
    "def f(): raise KeyError\nout = []\nfor i in range(1):\n  try:\n    f()\n  except KeyError:\n    return 'except'\n9",
    '"except"',
  ],
  ["of a finally, which wins", "try:\n  return 1\nfinally:\n  return 2", "2"],
  ["of a finally, over an exception", "try:\n  1 / 0\nfinally:\n  return 2", "2"],
  [
    "given up by a finally that raises",
    "try:\n  try:\n    return 1\n  finally:\n    raise KeyError\nexcept KeyError: pass\n9",
    "9",
  ],
  [
    "given up by a finally that breaks",
    "for i in range(2):\n  try:\n    return 1\n  finally:\n    break\n9",
    "9",
  ],
  [
    "past a loop in a finally",
    "while True:\n  try:\n    return 'outer'\n  finally:\n    for x in [1]:\n      if x > 1: return 'inner'\n      break",
    '"outer"',
  ],
  [
    "out of with, which sees no exception",
    "seen = []\nclass C:\n  def __enter__(self): pass\n  def __exit__(self, *what): seen.extend(what)\nwith C():\n  return seen",
    "[null,null,null]",
  ],
  [
    "past what suppresses exceptions",
    "import contextlib\nwith contextlib.suppress(BaseException):\n  return 1\n9",
    "1",
  ],
  [
    "beside await",
    "import asyncio\nasync def f(): return await asyncio.sleep(0, 8)\nif await f() == 8:\n  return f()",
    "8",
  ],
  [
    "out of async for",
    "async def g():\n  yield 1\n  yield 2\nasync for x in g():\n  if x == 2: return x\n9",
    "2",
  ],
  [
    "out of async with",
    "import contextlib\n@contextlib.asynccontextmanager\nasync def c(): yield 6\nasync with c() as x:\n  return x",
    "6",
  ],
  [
    "of names that functions and classes share",
    "x: int = 1\ndef f():\n  global y\n  y = x\nf()\nclass C:\n  z = y\nexec('w = 2')\nimport sys\nreturn [C.z, w, sys.modules['__main__'].__annotations__['x'] is int, locals() is globals()]",
    "[1,2,true,true]",
  ],
  [
    "of globals without a name of ours",
    "return sorted(n for n in globals() if n[:2] != '__')",
    '["ToolError","config","context","tools"]',
  ],
  [
    "after an import of all names and of the future",
    "'doc'\nfrom __future__ import annotations\nfrom math import *\nx: Foo = 1\nreturn [floor(1.5), __doc__]",
    '[1,"doc"]',
  ],
  ["of an indented program", "    for x in [5]:\n        return x", "5"],
];

const loops: readonly [title: string, code: string, json: string][] = [
  ["asyncio.run", "asyncio.run(main())", "[3,true]"],
  [
    "run_until_complete of a loop of its own",
    "asyncio.new_event_loop().run_until_complete(main())",
    "[3,true]",
  ],
  [
    "run_until_complete of the loop that runs",
    "asyncio.get_event_loop().run_until_complete(main())",
    "[3,true]",
  ],
  ["asyncio.run in a task", "await asyncio.create_task(outer())", "[3,true]"],
];

const inLoop =
  "import asyncio, threading\n" +
  "thread = threading.current_thread()\n" +
  "async def main():\n  await asyncio.sleep(.001)\n  return [await asyncio.wait_for(asyncio.sleep(0, 3), 9), threading.current_thread() is thread]\n" +
  "async def outer():\n  return asyncio.run(main())\n" +
  "await asyncio.sleep(0)\n";

/** Programs as people and models write them, and what they give. */
export const pythonSources: readonly ValueCase[] = [
  ...sources.map(([title, code, json]) => ({ title: `understands ${title}`, code, json })),
  ...returns.map(([title, code, json]) => ({ title: `takes a return ${title}`, code, json })),
  ...loops.map(([title, code, json]) => ({
    title: `takes ${title} beside a top-level await`,
    code: `${inLoop}result = ${code}\nawait asyncio.sleep(0)`,
    json,
  })),
  {
    title: "finds no package where there is none",
    code: "import importlib.util\nimportlib.util.find_spec('requests')",
    json: "null",
  },
];

const syntax = { reason: "syntax", type: "SyntaxError" } as const;
const missing = { reason: "exception", type: "ModuleNotFoundError", line: 1 } as const;

/** Programs that are no programs, and what they are told. */
export const pythonSourceFailures: readonly FailureCase[] = [
  {
    title: "says the line in a fence",
    code: `So:\n\n${fenced("x = 1\n1 / 0")}`,
    reason: "exception",
    type: "ZeroDivisionError",
    line: 5,
  },
  {
    title: "says the line of an indented program",
    code: "\n    x = 1\n    1 / 0",
    reason: "exception",
    type: "ZeroDivisionError",
    line: 3,
  },
  {
    ...syntax,
    title: "says the line that does not parse in a fence",
    code: `So:\n${fenced("x = 1\ny = = 2")}`,
    line: 4,
  },
  {
    ...syntax,
    title: "says the line that does not parse of an indented program",
    code: "    x = 1\n    y = = 2",
    line: 2,
  },
  {
    ...syntax,
    title: "says the line that does not parse after a flush one",
    code: "x = 1\n    y = 2\n    z = = 3",
    line: 3,
  },
  {
    title: "says what is wrong with an indent",
    code: "for x in [1]:\n    x\n      y",
    reason: "syntax",
    type: "IndentationError",
    line: 3,
  },
  {
    ...syntax,
    title: "takes no two programs",
    code: `${fenced("1")}\nor\n${fenced("2")}`,
    message: "two programs: send one",
    line: 5,
  },
  {
    ...syntax,
    title: "takes no program of another language",
    code: fenced("1", "js"),
    message: "fenced as js",
    line: 1,
  },
  {
    ...syntax,
    title: "refuses a return in a class",
    code: "class C:\n  return 1",
    message: "'return' outside function",
    line: 2,
  },
  {
    ...syntax,
    title: "refuses a break outside of loops beside a return",
    code: "break\nreturn 1",
    message: "'break' outside loop",
    line: 1,
  },
  {
    ...syntax,
    title: "refuses a continue outside of loops beside a return",
    code: "x = 1\nif x: continue\nreturn 1",
    message: "'continue' not properly in loop",
    line: 2,
  },
  {
    title: "says the line of what a return cannot give",
    code: "x = 0\nfor i in [1]:\n  return 1 / x",
    reason: "exception",
    type: "ZeroDivisionError",
    line: 3,
  },
  {
    ...missing,
    title: "says what there is instead of a package",
    code: "import requests",
    message:
      "No module named 'requests': there are the modules of the standard library, no packages, and no tools",
  },
  {
    title: "says what there is instead of a tool",
    code: "from tools import weather",
    reason: "exception",
    type: "ToolError",
    message: "this execution has no tools",
  },
];
