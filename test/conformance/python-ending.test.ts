import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { Stop } from "../../src/shared/stop.ts";
import { collect } from "../support/programs.ts";
import { noPython, startCpython } from "../support/toolchain.ts";

/** A thread that says that the program is over, and never ends. */
const late = `
import threading
def late():
  threading.main_thread().join()
  print("ending", flush=True)
  threading.Event().wait()
threading.Thread(target=late).start()
`;

describe.skipIf(noPython)("a Python program that is stopped at its end", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startCpython();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  /** Runs a program until it says that it is ending, and stops it then. */
  async function stopAtEnd(code: string, reason: Stop["reason"]) {
    const controller = new AbortController();
    const onEvent = (event: { type: string }) => {
      if (event.type === "output") controller.abort(new Stop(reason, "the time is over"));
    };
    const { result } = await collect(executor, code, { signal: controller.signal, onEvent });
    if (result.status === "completed") throw new Error("it was not stopped");
    return result.error;
  }

  it("says the text of the value that it had", async () => {
    expect(await stopAtEnd(`${late}\n[1, 'two']`, "timeout")).toEqual({
      reason: "timeout",
      type: "",
      message: "the time is over, while the program was ending; its value was [1, 'two']",
      traceback: "",
      line: 0,
    });
  });

  it("says the exception that it had, with its traceback and line", async () => {
    expect(await stopAtEnd(`${late}1 / 0`, "timeout")).toEqual({
      reason: "timeout",
      type: "ZeroDivisionError",
      message:
        "the time is over, while the program was ending, after ZeroDivisionError: division by zero",
      traceback: expect.stringContaining("ZeroDivisionError: division by zero"),
      line: 8,
    });
  });

  it("says of a thread bomb that it was threads", async () => {
    const bomb = "while True: threading.Thread(target=threading.Event().wait).start()";
    const { reason, message } = await stopAtEnd(late + bomb, "timeout");
    expect({ reason, message }).toEqual({
      reason: "timeout",
      message: expect.stringContaining("can't start new thread: at most 8 threads at once"),
    });
  });

  it("is no more than cancelled where it was cancelled", async () => {
    const error = await stopAtEnd(`${late}1 / 0`, "cancelled");
    expect(error).toMatchObject({
      reason: "cancelled",
      message: "the time is over",
      traceback: "",
    });
  });

  it("takes a second word about its end for a fault", async () => {
    const frame = `import os, struct, json
payload = json.dumps({"status": "completed", "text": "x", "type": "int", "hasJson": False}).encode() + b"\\n"
for _ in range(2): os.write(3, struct.pack("<IB", len(payload), 6) + payload)
while True: pass`;
    const { result } = await collect(executor, frame);
    expect(result).toMatchObject({ error: { reason: "crashed" } });
    expect(result).toHaveProperty("error.message", expect.stringContaining("a second ending"));
  });
});
