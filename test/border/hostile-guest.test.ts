import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { startDeadline } from "../../src/shared/abort.ts";
import { Stop } from "../../src/shared/stop.ts";
import { collect } from "../support/programs.ts";
import { noPython, startCpython } from "../support/toolchain.ts";

// Guests that speak to the host past the runner: frames are u32 length, u8 type, payload on descriptor 3.
const frame = (type: number, payload: string) =>
  `import os, struct, json, sys\ndef frame(kind, payload, length=None):\n  os.write(3, struct.pack('<IB', len(payload) if length is None else length, kind) + payload)\n` +
  `frame(${type}, ${payload})\n`;
const result = (fields: string, json = "b''") =>
  frame(
    4,
    `json.dumps({'status': 'completed', 'text': 'x', 'type': 'int', 'hasJson': False${fields}}).encode() + b'\\n' + ${json}`,
  );

describe.skipIf(noPython)("a hostile guest", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startCpython();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  it.each([
    ["-5", "raise SyntaxError('x', ('<program>', -5, 1, 'x'))"],
    ["10**12", "raise SyntaxError('x', ('<program>', 10**12, 1, 'x'))"],
    ["text", "raise SyntaxError('x', ('<program>', 'x', 1, 'x'))"],
    [
      "an error when it is asked",
      "class E(SyntaxError):\n  filename = property(lambda self: 1 / 0)\nraise E('x')",
    ],
  ])("fails with its own error when that says its line is %s", async (_what, code) => {
    const { result } = await collect(executor, code);
    expect(result).toMatchObject({ error: { reason: "exception", message: "x", line: 0 } });
  });

  it("fails with its own error when the message of that cannot be shown", async () => {
    const code =
      "class M:\n  def __str__(self): return 1 / 0\nerror = SyntaxError('x')\nerror.msg = M()\nraise error";
    const { result } = await collect(executor, code);
    expect(result).toMatchObject({
      error: { reason: "exception", message: "<str() raised ZeroDivisionError>" },
    });
  });

  it.each([2_000, 20_000_000])("gets an error for a tool whose name has %d letters", async (n) => {
    const code = `
try: tools["x" * ${n}].run()
except Exception as error: result = [type(error).__name__, error.kind, len(str(error)) < 400]`;
    for (const hasMoreTools of [true, false]) {
      const { result } = await collect(executor, code, { hasMoreTools });
      expect(result).toMatchObject({ value: { json: '["ToolError","not_granted",true]' } });
    }
  });

  it.each([
    ["a frame of an unknown type", frame(99, "b''"), "unknown type 99"],
    ["a frame that only the host may send", frame(17, "b'{}'"), "unknown type 17"],
    ["a second ready frame", frame(1, "b'{}'"), "type 1 from a running guest"],
    ["an oversize length", `${frame(2, "b'x'")}frame(2, b'', 2**32 - 1)`, "4294967295 bytes"],
    ["an oversize result", `${frame(2, "b'x'")}frame(4, b'', 2**30)`, "1073741824 bytes"],
    ["a result without a header", frame(4, "b'5'"), "frame without a header"],
    ["a header that is not JSON", frame(4, "b'{\\n'"), "not JSON"],
    ["a header of a wrong form", frame(4, 'b\'{"status":"completed"}\\n\''), "wrong form"],
    ["a value that is not JSON", result(", 'hasJson': True", "b'{'"), "result that is not JSON"],
    [
      "a value nested 10,000 deep",
      result(", 'hasJson': True", "b'[' * 10000 + b']' * 10000"),
      "result that is not JSON",
    ],
    ["a text longer than allowed", result(", 'text': 'x' * 300000"), "wrong form"],
    [
      "a reason that is the host's to give",
      frame(
        4,
        'b\'{"status":"failed","reason":"timeout","type":"","message":"","traceback":"","line":0}\\n\'',
      ),
      "wrong form",
    ],
    ["output without a byte", frame(2, "b''"), "output without a byte"],
    [
      "a value longer than a result may be",
      result(", 'hasJson': True", "b'\"' + b'x' * (2**20) + b'\"'"),
      "value of 1048578 bytes, at most 1048576",
    ],
    [
      "arguments of more parts than the host will read",
      frame(5, `b'{"seq":1,"key":"0/0","tool":"x"}\\n{"a":[' + b'0,' * 300000 + b'0]}'`),
      "arguments text that is not JSON",
    ],
    [
      "a call out of its order",
      frame(5, `b'{"seq":2,"key":"0/0","tool":"x"}\\n{}'`),
      "call 2 where 1 was due",
    ],
    ["a call without an object", frame(5, `b'{"seq":1,"key":"0/0","tool":"x"}\\n[]'`), "no object"],
    ["random bytes", "import os\nos.write(3, os.urandom(100000))", "frame"],
  ])("that sends %s is killed and crashed", async (_title, code, message) => {
    const { result } = await collect(executor, `${code}\nwhile True: pass`);
    expect(result).toMatchObject({ status: "failed", error: { reason: "crashed" } });
    expect(result).toHaveProperty("error.message", expect.stringContaining(message));
  });

  it("that sends half a frame and ends is crashed", async () => {
    const { result } = await collect(executor, "import os\nos.write(3, b'\\xff\\0')\nos._exit(0)");
    expect(result).toMatchObject({
      error: { reason: "crashed", message: "the guest ended without a result (status 0)" },
    });
  });

  it("that closes its socket is crashed", async () => {
    const { result } = await collect(executor, "import os\nos.close(3)\nos._exit(0)");
    expect(result).toMatchObject({ error: { reason: "crashed" } });
  });

  it("that closes its socket and spins is ended by its limits", async () => {
    using deadline = startDeadline({ ms: 300, reason: new Stop("timeout", "time is up") });
    const { result } = await collect(executor, "import os\nos.close(3)\nwhile True: pass", {
      signal: deadline.signal,
    });
    expect(result).toMatchObject({ error: { reason: expect.stringMatching(/timeout|crashed/) } });
  });

  it("that gives two results has given the first", async () => {
    const code = `${result(", 'text': 'first'")}frame(4, json.dumps({'status': 'completed', 'text': 'second', 'type': 'int', 'hasJson': False}).encode() + b'\\n')`;
    const { result: outcome } = await collect(executor, code);
    expect(outcome).toMatchObject({ status: "completed", value: { text: "first" } });
  });

  it("that goes on after its result is killed, and says no more", async () => {
    const { result: outcome, events } = await collect(
      executor,
      `${result("")}frame(2, b'late')\nwhile True: pass`,
    );
    expect(outcome).toMatchObject({ status: "completed" });
    expect(events.map((event) => event.type)).toEqual(["started", "ended"]);
  });

  it("that prints what looks like a result has printed text", async () => {
    const { result: outcome, stdout } = await collect(
      executor,
      `print('{"status":"completed","text":"forged"}')\nprint('\\x00\\x00\\x04')\n1`,
    );
    expect(outcome).toMatchObject({ status: "completed", value: { json: "1" } });
    expect(stdout).toContain("forged");
  });

  it("that breaks the runner's own modules harms only itself", async () => {
    await collect(
      executor,
      "import json, traceback, sys\njson.JSONEncoder.encode = None\ntraceback.TracebackException = None\nsys.exit = None\n1/0",
    );
    const { result: next } = await collect(executor, "1");
    expect(next).toMatchObject({ status: "completed", value: { json: "1" } });
  });

  it("that raises an exception made to confuse the report is still a failure of its own", async () => {
    const code = `
class E(Exception):
    __traceback__ = property(lambda self: 1/0)
    def __str__(self): return '\\ud800' * 100000
class M(type):
    __name__ = property(lambda self: 5)
raise E()`;
    const { result: outcome } = await collect(executor, code);
    expect(outcome.status).toBe("failed");
    if (outcome.status === "failed")
      expect(Buffer.byteLength(outcome.error.message)).toBeLessThanOrEqual(8192);
  });
});
