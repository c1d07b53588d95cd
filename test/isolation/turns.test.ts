import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { calledFromInside, hasProc } from "../support/processes.ts";
import { collect, type RunOptions } from "../support/programs.ts";
import { noPython, startCpython } from "../support/toolchain.ts";

const spin = "import os\nprint(os.getpid())\nwhile True: pass";
const patient = { timeout: 15_000, interval: 5 };
// As many as keep the cores busy while one of them is exchanged.
const places = availableParallelism() + 1;

/** State, CPU time in clock ticks and nice value of a process: fields 3, 14, 15, 19 of /proc/PID/stat. */
function look(pid: number): { state: string; ticks: number; nice: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const number = (index: number) => Number(fields[index]);
  return { state: fields[0] ?? "", ticks: number(11) + number(12), nice: number(16) };
}

const isStopped = (pid: number) => look(pid).state === "T";

describe.skipIf(noPython || !hasProc)("busy guests", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startCpython();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const begin = async (code: string, options: RunOptions) => {
    const controller = new AbortController();
    const pid = Promise.withResolvers<number>();
    const ended = collect(executor, code, {
      ...options,
      signal: controller.signal,
      onEvent: (event) =>
        event.type === "output" && pid.resolve(calledFromInside(Number(event.text))),
    });
    const stop = async () => {
      controller.abort();
      return await ended;
    };
    return { pid: await pid.promise, ended, stop };
  };
  const beginMany = (count: number, group: string) =>
    Promise.all(Array.from({ length: count }, () => begin(spin, { group })));

  it("take turns: a few of them run, the others stand still, and each has its turn", async () => {
    const runs = await beginMany(places + 5, "loud");
    await vi.waitFor(() => {
      const stopped = runs.filter(({ pid }) => isStopped(pid));
      expect(stopped).toHaveLength(runs.length - places);
    }, patient);
    const before = runs.map(({ pid }) => look(pid).ticks);
    await vi.waitFor(() => {
      for (const [index, { pid }] of runs.entries()) {
        expect(look(pid).ticks).toBeGreaterThan(before[index] ?? 0);
      }
    }, patient);
    // One that stands still is ended like any other.
    const ends = await Promise.all(runs.map(({ stop }) => stop()));
    expect(ends.map(({ result }) => result.status)).toEqual(runs.map(() => "failed"));
  });

  it("come tenant by tenant: one of a tenant has as much as many of another", async () => {
    const loud = await beginMany(12, "loud");
    const quiet = await begin(spin, { group: "quiet" });
    const all = [quiet, ...loud];
    await vi.waitFor(() => {
      expect(all.filter(({ pid }) => isStopped(pid)).length).toBe(all.length - places);
    }, patient);
    const before = all.map(({ pid }) => look(pid).ticks);
    const used = () => all.map(({ pid }, index) => look(pid).ticks - (before[index] ?? 0));
    await vi.waitFor(() => expect(used()[0]).toBeGreaterThan(50), patient);
    const [own = 0, ...others] = used();
    const mean = others.reduce((sum, ticks) => sum + ticks, 0) / others.length;
    // About a third of the turns against a fifth of one: without turns by tenant it would be the same.
    expect(own).toBeGreaterThan(2 * mean);
    await Promise.all(all.map(({ stop }) => stop()));
  });

  it("are let go while they wait for something, and not stopped then", async () => {
    const loud = await beginMany(places + 3, "loud");
    const code = `import os, time
print(os.getpid())
while time.process_time() < 0.4: pass
time.sleep(3600)`;
    const waiting = await begin(code, { group: "quiet" });
    const ticksOf = () => loud.reduce((sum, { pid }) => sum + look(pid).ticks, 0);
    await vi.waitFor(() => {
      expect(look(waiting.pid)).toMatchObject({ state: "S", nice: 19 });
    }, patient);
    // It may be taken for busy once more; then it is seen to wait.
    const first = ticksOf();
    await vi.waitFor(() => expect(ticksOf()).toBeGreaterThan(first + 50), patient);
    const second = ticksOf();
    await vi.waitFor(() => {
      expect.soft(isStopped(waiting.pid)).toBe(false);
      expect(ticksOf()).toBeGreaterThan(second + 50);
    }, patient);
    await Promise.all([waiting, ...loud].map(({ stop }) => stop()));
  });

  it("are held to the limit of their CPU time, whoever else takes turns", async () => {
    const limits = { activeMs: 300 };
    const runs = Array.from({ length: places + 3 }, () =>
      collect(executor, spin, { group: "loud", limits }),
    );
    for (const { result, usage } of await Promise.all(runs)) {
      expect(result).toMatchObject({ error: { reason: "timeout" } });
      expect(usage.cpuMs).toBeGreaterThan(250);
      expect(usage.cpuMs).toBeLessThan(600);
    }
  });
});

describe.skipIf(noPython || !hasProc)("the guests of a tenant with many", () => {
  it("stand behind those of one with few", async () => {
    await using executor = await startCpython();
    const controller = new AbortController();
    const { signal } = controller;
    const idle = "import os, time\nprint(os.getpid())\ntime.sleep(3600)";
    const begin = (group: string) => {
      const pid = Promise.withResolvers<number>();
      void collect(executor, idle, {
        signal,
        group,
        onEvent: (event) =>
          event.type === "output" && pid.resolve(calledFromInside(Number(event.text))),
      });
      return pid.promise;
    };
    const loud = await Promise.all(Array.from({ length: 6 }, () => begin("loud")));
    const quiet = await begin("quiet");
    const standsBehind = (pid: number) => look(pid).nice > look(quiet).nice;
    expect(loud.map(standsBehind)).toEqual([false, false, true, true, true, true]);
    controller.abort();
  });
});

const guestFiles = fileURLToPath(new URL("../../src/sandbox/cpython/guest", import.meta.url));
// Three processes more than cores that it is told of enter as busy; says how many were stopped.
const script = `import os, signal, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
import turns
os.chdir("/proc")
cores = os.cpu_count() + 1
pids = [subprocess.Popen(["sleep", "60"]).pid for _ in range(cores + 3)]
line = turns.Turns(cores, on_idle=lambda pid: None)
for pid in pids:
    line.enter(pid, "group")
def state(pid):
    with open("%d/stat" % pid) as file:
        return file.read().rsplit(")", 1)[1].split()[0]
end = time.monotonic() + 10
while [state(pid) for pid in pids].count("T") != 2 and time.monotonic() < end:
    pass
print([state(pid) for pid in pids].count("T"))
for pid in pids:
    os.kill(pid, signal.SIGKILL)
`;

it.skipIf(noPython || !hasProc)(
  "one more has a turn than the service has cores, however many the machine has",
  () => {
    const args = ["-B", "-c", script, guestFiles];
    expect(execFileSync("python3", args, { encoding: "utf8" }).trim()).toBe("2");
  },
);
