import type { FailureCase } from "./programs.ts";

/** What only Python has to say about failures. */
export const pythonFailures: readonly FailureCase[] = [
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
  { title: "reports a null byte as a syntax error", code: "x = '\0'", reason: "syntax" },
  {
    title: "reports a failing exit",
    code: "import sys\nsys.exit(3)",
    reason: "exception",
    type: "SystemExit",
    line: 2,
  },
  {
    title: "names MemoryError where memory is used up",
    code: "x = 'a' * (300 * 2**20)",
    reason: "memory",
    type: "MemoryError",
    limits: { memoryBytes: 64 * 2 ** 20 },
    needs: "memory limit",
  },
  {
    title: "reports a killed guest as crashed",
    code: "import signal\nsignal.raise_signal(signal.SIGSEGV)",
    reason: "crashed",
    needs: "signals",
  },
  {
    title: "reports a guest that aborts as crashed",
    code: "import os\nos.abort()",
    reason: "crashed",
  },
  {
    title: "reports a guest that vanishes with a status as crashed",
    code: "import os\nos._exit(7)",
    reason: "crashed",
  },
  {
    title: "reports a guest that reads invalid memory as crashed",
    code: "import ctypes\nctypes.string_at(0)",
    reason: "crashed",
    needs: "native memory",
  },
  {
    title: "reports threads beyond the limit",
    code: "import threading, time\nfor _ in range(9): threading.Thread(target=time.sleep, args=(1,), daemon=True).start()",
    reason: "exception",
    type: "RuntimeError",
    needs: "threads",
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
    title: "reports an exception that is no Exception",
    code: "raise BaseException('base')",
    reason: "exception",
    type: "BaseException",
    message: "base",
  },
];
