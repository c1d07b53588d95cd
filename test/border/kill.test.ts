import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Executor, GuestEvent } from "../../src/executors/executor.ts";
import { spawnZygote } from "../../src/sandbox/cpython/zygote.ts";
import { Stop } from "../../src/shared/stop.ts";
import {
  allGone,
  calledFromInside,
  descendants,
  openDescriptors,
  statusOf,
  zygotes,
} from "../support/processes.ts";
import { collect, toProgram } from "../support/programs.ts";
import { noPython, startCpython } from "../support/toolchain.ts";

const fixture = fileURLToPath(new URL("../isolation/fixtures/engine.ts", import.meta.url));
const spin = "import os\nprint(os.getpid())\nwhile True: pass";

/** Starts a program that spins; resolves with its process id and what becomes of it. */
async function started(executor: Executor, signal = new AbortController().signal) {
  const pid = Promise.withResolvers<number>();
  const ended = collect(executor, spin, {
    signal,
    onEvent: (event) =>
      event.type === "output" && pid.resolve(calledFromInside(Number(event.text))),
  });
  return { pid: await pid.promise, ended };
}

const temporary = () => readdirSync(tmpdir());

// A folder for temporary files that nobody else on this machine writes to.
const folder = mkdtempSync(join(tmpdir(), "codemode-kill-"));
const usual = process.env.TMPDIR;
beforeAll(() => {
  process.env.TMPDIR = folder;
});
afterAll(() => {
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
  rmSync(folder, { recursive: true });
});

describe.skipIf(noPython)("killing", () => {
  it("a guest ends its run as crashed, and the next run works", async () => {
    await using executor = await startCpython();
    const { pid, ended } = await started(executor);
    process.kill(pid, "SIGKILL");
    expect((await ended).result).toMatchObject({
      status: "failed",
      error: { reason: "crashed", message: "the guest was killed by SIGKILL" },
    });
    expect((await collect(executor, "1")).result.status).toBe("completed");
  });

  it("the zygote ends its runs as crashed, takes every guest along, and the next run works", async () => {
    await using executor = await startCpython();
    const runs = await Promise.all([started(executor), started(executor)]);
    const [family] = zygotes();
    if (family === undefined) expect.fail("no zygote");
    process.kill(family.zygote.pid, "SIGKILL");
    for (const { ended } of runs) {
      expect((await ended).result).toMatchObject({
        error: { reason: "crashed", message: "the guest was lost with the process that held it" },
      });
    }
    await allGone([family.zygote.pid, ...family.guests.map((guest) => guest.pid)]);
    expect((await collect(executor, "2 + 2")).result).toMatchObject({ value: { json: "4" } });
    expect(executor.info().up).toBe(true);
    expect(zygotes()).toHaveLength(1);
  });

  it("the zygote takes nothing from a run whose guest had ended, however slowly it is read", async () => {
    await using executor = await startCpython();
    // More than the host takes in before it is read, 256 KiB and one read, and less than the socket holds
    // beside that: some 110 KB, each line of which takes twice its room there.
    const lines = 84;
    const code = `import os\nprint(os.getpid())\nfor n in range(${lines}): print("x" * 3999)\n"all said"`;
    const run = executor.run(toProgram(code), new AbortController().signal);
    const events = run[Symbol.asyncIterator]();
    let text = "";
    while (!text.includes("\n")) {
      const { value } = await events.next();
      if (value?.type === "output") text += value.text;
    }
    const pid = calledFromInside(Number(text.split("\n")[0]));
    await allGone([pid]);
    const [family] = zygotes();
    if (family === undefined) expect.fail("no zygote");
    process.kill(family.zygote.pid, "SIGKILL");
    await allGone([family.zygote.pid]);
    // Another one is up: the host has seen it. Until then a run may get a guest that is gone.
    await vi.waitFor(async () => {
      expect((await collect(executor, "2 + 2")).result).toMatchObject({ value: { json: "4" } });
    }, 10_000);
    let last: GuestEvent | undefined;
    for (let step = await events.next(); step.done !== true; step = await events.next()) {
      last = step.value;
      if (last.type === "output") text += last.text;
    }
    expect(last).toMatchObject({ result: { status: "completed", value: { json: '"all said"' } } });
    expect(text.split("\n").filter((line) => line === "x".repeat(3_999))).toHaveLength(lines);
  });

  it("a zygote that hangs is replaced, and its guests die with it", async () => {
    await using executor = await startCpython();
    const controller = new AbortController();
    const { pid, ended } = await started(executor, controller.signal);
    const [family] = zygotes();
    if (family === undefined) expect.fail("no zygote");
    process.kill(family.zygote.pid, "SIGSTOP");
    controller.abort(new Stop("cancelled", "enough"));
    expect((await ended).result).toMatchObject({ error: { reason: "cancelled" } });
    await allGone([pid, family.zygote.pid]);
    expect((await collect(executor, "2 + 2")).result).toMatchObject({ value: { json: "4" } });
  });

  it("a stopped guest (SIGSTOP) is still ended by its deadline", async () => {
    await using executor = await startCpython();
    const controller = new AbortController();
    const { pid, ended } = await started(executor, controller.signal);
    process.kill(pid, "SIGSTOP");
    controller.abort(new Stop("timeout", "time is up"));
    expect((await ended).result).toMatchObject({ error: { reason: "timeout" } });
    await allGone([pid]);
  });

  it("an aborted guest is dead when its run has ended", async () => {
    await using executor = await startCpython();
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController();
      const { pid, ended } = await started(executor, controller.signal);
      controller.abort(new Stop("cancelled", "enough"));
      await ended;
      expect(statusOf(pid)).toBeUndefined();
    }
  });

  it("the service (SIGKILL) takes zygote and guests along, and leaves no file", async () => {
    const before = temporary();
    const child = spawn(process.execPath, [fixture, "T0", "python3", spin], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout });
    for await (const line of lines) if (line.includes('"event"')) break;
    const family = descendants(child.pid);
    expect(family.length).toBeGreaterThan(1);
    child.kill("SIGKILL");
    await allGone(family.map((one) => one.pid));
    expect(temporary()).toEqual(before);
  });

  it("gives up an interpreter that never says a word, and leaves none of it", async () => {
    const silent = join(folder, "python3");
    writeFileSync(silent, "#!/bin/sh\nexec sleep 60\n", { mode: 0o755 });
    const controller = new AbortController();
    const starting = spawnZygote({
      python: silent,
      signal: controller.signal,
      onStderr: () => {},
      onExit: () => {},
      onForkFailed: () => {},
    });
    const [child] = descendants().filter((one) => one.name === "sleep" || one.name === "python3");
    controller.abort();
    await expect(starting).rejects.toThrow("the Python zygote ended with SIGKILL");
    await allGone(child === undefined ? [] : [child.pid]);
    rmSync(silent);
  });

  it("leaves no process, descriptor or file behind", async () => {
    const files = temporary();
    const descriptors = openDescriptors();
    {
      await using executor = await startCpython();
      await Promise.all(Array.from({ length: 50 }, () => collect(executor, "print(1)")));
      expect(temporary()).toEqual(files); // not even while it runs
    }
    expect(zygotes()).toEqual([]);
    expect(temporary()).toEqual(files);
    expect(openDescriptors()).toBeLessThanOrEqual(descriptors + 1);
  });
});
