import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { descendants } from "../support/processes.ts";
import { collect, jsonOf } from "../support/programs.ts";
import { noPyodide, noWall, startPyodide } from "../support/pyodide.ts";

/** A program that makes attempts, each an expression, and gives what came of each: its value or the error's type. */
function attempts(expressions: readonly string[], before = ""): string {
  return `${before}
def attempt(text):
  try: return repr(eval(text, globals()))
  except BaseException as error: return type(error).__name__
[attempt(text) for text in ${JSON.stringify(expressions)}]`;
}

describe.skipIf(noPyodide)("the border of pyodide", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startPyodide();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  it("has no module that reaches JavaScript", async () => {
    const modules =
      "js pyodide_js _pyodide_core pyodide pyodide.code pyodide.ffi _pyodide micropip ctypes _ctypes";
    const names = modules.split(" ");
    const expressions = names.map((name) => `__import__(${JSON.stringify(name)})`);
    const seen = await jsonOf(executor, attempts(expressions));
    expect(seen).toEqual(names.map(() => "ModuleNotFoundError"));
  });

  it("has no object of JavaScript's anywhere", async () => {
    const found = `
import gc, sys
def classes(of, seen):
  for one in type.__subclasses__(of):
    if one not in seen:
      seen.add(one); classes(one, seen)
  return seen
every = gc.get_objects() + list(classes(object, set())) + list(sys.modules.values())
[repr(one)[:80] for one in every if 'JsProxy' in type(one).__name__ + getattr(one, '__name__', '') or 'pyodide' in getattr(one, '__name__', '')]`;
    expect(await jsonOf(executor, found)).toEqual([]);
  });

  it.each([
    [
      "import, with our own refusal removed",
      "import sys\nsys.meta_path.pop(0)\nimport _pyodide_core",
    ],
    [
      "import of ctypes, with our own refusal removed",
      "import sys\nsys.meta_path.pop(0)\nimport ctypes\nctypes.string_at(0)",
    ],
    [
      "the import system's own door",
      "import _imp, sys, importlib.machinery as m\nsys.meta_path.pop(0)\nmodule = _imp.create_builtin(m.ModuleSpec('_pyodide_core', None))\n_imp.exec_builtin(module)",
    ],
  ])("ends a program that calls JavaScript by %s", async (_how, code) => {
    const { result } = await collect(executor, `${code}\nprint('survived')`);
    expect(result).toMatchObject({
      status: "failed",
      error: {
        reason: "crashed",
        message: expect.stringContaining("a closed function was called"),
      },
    });
  });

  it("loads no code but Python", async () => {
    const before =
      "import _imp, importlib.machinery\nopen('/tmp/m.so', 'wb').write(b'\\0asm\\1\\0\\0\\0')\nspec = importlib.machinery.ModuleSpec('m', None, origin='/tmp/m.so')";
    expect(await jsonOf(executor, attempts(["_imp.create_dynamic(spec)"], before))).toEqual([
      "ImportError",
    ]);
  });

  it("reaches no network", async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const before = "import socket, asyncio, urllib.request, http.client";
    const expressions = [
      "socket.socket()",
      "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
      "socket.socketpair()",
      `socket.create_connection(('127.0.0.1', ${port}))`,
      "socket.getaddrinfo('localhost', 80)",
      `urllib.request.urlopen('http://127.0.0.1:${port}')`,
      `http.client.HTTPConnection('127.0.0.1', ${port}).connect()`,
      `asyncio.run(asyncio.open_connection('127.0.0.1', ${port}))`,
    ];
    const seen = (await jsonOf(executor, attempts(expressions, before))) as string[];
    await new Promise((resolve) => server.close(resolve));
    const refusals = ["PermissionError", "gaierror", "URLError", "OSError", "NotImplementedError"];
    for (const answer of seen) expect(refusals).toContain(answer);
    expect(connections).toBe(0);
  });

  it("sees, starts and signals no process", async () => {
    const before = "import os, subprocess, multiprocessing, signal";
    const running = descendants().length;
    const seen = await jsonOf(
      executor,
      attempts(
        [
          "os.system('echo 1')",
          "subprocess.run(['ls'])",
          "os.popen('ls').read()",
          "os.fork()",
          "os.execv('/bin/sh', ['sh'])",
          "multiprocessing.Process(target=print).start()",
          `os.kill(${process.pid}, signal.SIGKILL)`,
          "os.listdir('/proc')",
        ],
        before,
      ),
    );
    expect(seen).toEqual([
      "-1",
      "OSError",
      "OSError",
      "OSError",
      "OSError",
      expect.stringMatching(/Error$/),
      "PermissionError",
      "['self']",
    ]);
    expect(descendants().length).toBeLessThanOrEqual(running + 1); // a spare may have been started
  });

  it("has a file system of its own, and nothing of this machine in it", async () => {
    const directory = await mkdtemp(join(tmpdir(), "codemode-border-"));
    const canary = join(directory, "canary");
    await writeFile(canary, "a file of the host\n");
    const quoted = JSON.stringify(canary);
    const seen = await jsonOf(
      executor,
      attempts(
        [
          `open(${quoted}).read()`,
          `open(${quoted}, 'a')`,
          `os.stat(${JSON.stringify(directory)})`,
          `os.makedirs(${JSON.stringify(directory)}) or open(${quoted}, 'w').write('mine')`,
          "os.listdir('/')",
          "open('/proc/self/environ').read()",
          "open('/dev/stdin').read() + sys.stdin.read()",
          "dict(os.environ)",
        ],
        "import os, sys",
      ),
    );
    expect(seen).toEqual([
      "FileNotFoundError",
      "FileNotFoundError",
      "FileNotFoundError",
      "4",
      "['tmp', 'home', 'dev', 'proc', 'lib']",
      "FileNotFoundError",
      "''",
      "{}",
    ]);
    expect(await readdir(directory)).toEqual(["canary"]);
    await rm(directory, { recursive: true });
  });

  it.skipIf(noWall)("stands behind a wall that refused every probe", () => {
    const { isolationTier, probes, warnings } = executor.info();
    expect(isolationTier).toBe("T2");
    expect(probes.length).toBeGreaterThan(10);
    expect(probes.filter(({ refused }) => !refused)).toEqual([]);
    expect(warnings).toEqual([]);
  });
});

describe.skipIf(noPyodide)("pyodide without a wall", () => {
  it("is not up where T2 is required, and says which layers are missing", async () => {
    await using executor = await startPyodide({ requireTier: "T2", layers: [] });
    expect(executor.info()).toMatchObject({
      up: false,
      isolationTier: "T0",
      reason: expect.stringMatching(/^isolation is below the required tier T2: .*not refused: /),
    });
    await expect(collect(executor, "1")).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("is up where T0 is required, with a warning in plain words", async () => {
    await using executor = await startPyodide({ requireTier: "T0", layers: [], spare: 0 });
    expect(executor.info()).toMatchObject({
      up: true,
      isolationTier: "T0",
      warnings: [expect.stringMatching(/^weak isolation T0: nothing but WebAssembly/)],
    });
    expect(await jsonOf(executor, "6 * 7")).toBe(42);
  });
});
