import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { calledFromInside, hasProc } from "../support/processes.ts";
import { collect } from "../support/programs.ts";
import { noPython, startCpython } from "../support/toolchain.ts";

/** The nice value of a process: field 19 of /proc/PID/stat (proc(5)). */
function niceOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[16]);
}

describe.skipIf(noPython || !hasProc)("a guest's place among the others", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startCpython();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const begin = (code: string) => {
    const controller = new AbortController();
    const pid = Promise.withResolvers<number>();
    const ended = collect(executor, code, {
      signal: controller.signal,
      onEvent: (event) =>
        event.type === "output" && pid.resolve(calledFromInside(Number(event.text))),
    });
    return { pid: pid.promise, ended, stop: () => controller.abort() };
  };

  it("is behind those that have just begun once it has computed for a while", async () => {
    const run = begin("import os\nprint(os.getpid())\nwhile True: pass");
    const pid = await run.pid;
    await vi.waitFor(() => expect(niceOf(pid)).toBe(19), 10_000);
    run.stop();
    expect((await run.ended).result).toMatchObject({ status: "failed" });
  });

  it("stays what it was while it waits, however long", async () => {
    const run = begin("import os, time\nprint(os.getpid())\ntime.sleep(3600)");
    const pid = await run.pid;
    const busy = begin("import os\nprint(os.getpid())\nwhile True: pass");
    const other = await busy.pid;
    await vi.waitFor(() => expect(niceOf(other)).toBe(19), 10_000);
    expect(niceOf(pid)).toBeLessThan(19);
    busy.stop();
    run.stop();
    await Promise.all([run.ended, busy.ended]);
  });
});
