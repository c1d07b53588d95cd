import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { allGone, descendants } from "../support/processes.ts";
import { collect, jsonOf } from "../support/programs.ts";
import { noPyodide, startPyodide } from "../support/pyodide.ts";

const service = fileURLToPath(new URL("./fixtures/pyodide-service.ts", import.meta.url));

// Guests that speak to the host past the runner, on the device that carries frames.
const say = (...frames: readonly string[]) =>
  `import os, struct, json
host = os.open('/dev/codemode/host', os.O_RDWR)
def frame(kind, payload, length=None):
  os.write(host, struct.pack('<IB', len(payload) if length is None else length, kind) + payload)
${frames.join("\n")}
5`;
const result = (fields: string) =>
  `frame(4, json.dumps({'status': 'completed', 'text': 'x', 'type': 'int', 'hasJson': False${fields}}).encode() + b'\\n')`;

describe.skipIf(noPyodide)("a guest of pyodide", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startPyodide();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  it.each([
    ["a frame of an unknown type", "frame(99, b'')", "unknown type 99"],
    ["a second ready frame", "frame(1, b'{}')", "type 1 from a running guest"],
    ["an oversize length", "frame(2, b'', 2**32 - 1)", "4294967295 bytes"],
    ["a header of a wrong form", "frame(4, b'{}\\n')", "wrong form"],
    ["a call out of order", `frame(5, b'{"seq":2,"key":"0/0","tool":"x"}\\n{}')`, "call 2 where 1"],
  ])("is killed for %s", async (_what, attack, message) => {
    const { result } = await collect(executor, say(attack));
    expect(result).toMatchObject({
      status: "failed",
      error: { reason: "crashed", message: expect.stringContaining(message) },
    });
  });

  it("has one result, the first", async () => {
    const { result: said } = await collect(executor, say(result(""), result(", 'line': 3")));
    expect(said).toMatchObject({ status: "completed", value: { text: "x", type: "int" } });
  });

  it.each([
    ["status 0", "import os\nos._exit(0)"],
    ["abort", "import os\nos.abort()"],
  ])("that ends without a result never reads as a success: %s", async (_how, code) => {
    const { result } = await collect(executor, code);
    expect(result).toMatchObject({ status: "failed", error: { reason: "crashed" } });
  });

  it("that calls itself until no stack or memory is left never reads as a success", async () => {
    const code = "import sys\nsys.setrecursionlimit(10**8)\ndef f(): return f()\nf()";
    const limits = { memoryBytes: 16 * 2 ** 20, activeMs: 3_000 };
    const { result: said } = await collect(executor, code, { limits });
    expect(said).toMatchObject({ status: "failed" });
  });

  it("gets a RecursionError also where C code calls itself", async () => {
    const code = `
class Nested:
  def __repr__(self): return repr(self)
found = []
for attempt in (lambda: repr(Nested()), lambda: compile('+'.join(['1'] * 50_000), 'x', 'eval')):
  try: attempt()
  except RecursionError as error: found.append('RecursionError')
found`;
    expect(await jsonOf(executor, code)).toEqual(["RecursionError", "RecursionError"]);
  });

  it("has the files that it writes counted as memory, and again when they are gone", async () => {
    const code = `
import os
def fill():
  try:
    with open('/tmp/big', 'wb') as file:
      for _ in range(100): file.write(bytes(1 << 20))
  except OSError as error: return error.strerror
def stretch():
  try: os.truncate('/tmp/big', 10**12)
  except OSError as error: return error.strerror
first = fill(); size = os.path.getsize('/tmp/big'); os.remove('/tmp/big')
open('/tmp/big', 'w').close()
[first, stretch(), os.remove('/tmp/big'), fill(), abs(os.path.getsize('/tmp/big') - size) <= 8 << 20, 16 << 20 < size <= 64 << 20]`;
    const limits = { memoryBytes: 64 * 2 ** 20 };
    const full = "No space left on device";
    expect(await jsonOf(executor, code, { limits })).toEqual([full, full, null, full, true, true]);
  });

  it.each([
    ["are kept", ""],
    ["are removed while they are open", "os.remove(name); kept.append(file)"],
  ])("counts files that are written at once as memory, where they %s", async (_how, then) => {
    const code = `
import os
kept, count = [], 0
try:
  while count < 400:
    name = f'/tmp/file{count}'
    file = os.open(name, os.O_CREAT | os.O_WRONLY)
    os.write(file, bytes(1 << 20))
    ${then || "os.close(file)"}
    count += 1
except OSError as error: print(error.strerror)
[len(kept), 8 < count <= 64]`;
    const limits = { memoryBytes: 64 * 2 ** 20 };
    const { stdout, result: said } = await collect(executor, code, { limits });
    expect(stdout).toBe("No space left on device\n");
    expect(said).toMatchObject({ value: { json: expect.stringMatching(/true/) } });
  });

  it("brings native output, counted like all output", async () => {
    const code =
      "import os\nos.write(1, b'raw\\n'); os.write(2, b'err\\n')\nopen('/dev/stdout', 'w').write('more')";
    const { stdout, stderr, usage } = await collect(executor, code);
    expect([stdout, stderr, usage.outputBytes]).toEqual(["raw\nmore", "err\n", 12]);
    const flood = "import os\nwhile True: os.write(1, b'x' * 100_000)";
    const { result: said } = await collect(executor, flood, { limits: { outputBytes: 50_000 } });
    expect(said).toMatchObject({ error: { reason: "output_limit" } });
  });

  it("sleeps without using CPU time", async () => {
    const code = `
import time
began, used = time.monotonic(), time.process_time()
time.sleep(1)
time.monotonic() - began`;
    const { result: said, usage } = await collect(executor, code);
    if (said.status === "failed") expect.fail(said.error.message);
    expect(Number(said.value.json)).toBeGreaterThanOrEqual(1);
    expect(usage.cpuMs).toBeLessThan(600);
  });

  it("has no threads, and says so as Python does", async () => {
    const { result: said } = await collect(
      executor,
      "import threading\nthreading.Thread(target=print).start()",
    );
    expect(said).toMatchObject({
      error: { type: "RuntimeError", message: "can't start new thread", line: 2 },
    });
  });
});

describe.skipIf(noPyodide)("a service that is killed", () => {
  it("leaves no interpreter behind", async () => {
    const child = spawn(process.execPath, [service], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve) => lines.once("line", () => resolve()));
    const left = descendants(child.pid).map(({ pid }) => pid);
    expect(left.length).toBeGreaterThan(0);
    child.kill("SIGKILL");
    await allGone(left);
  });
});
