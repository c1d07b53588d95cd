import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { Codemode, type ExecuteOptions } from "../../src/index.ts";
import { createServer, parseConfig } from "../../src/server.ts";
import {
  allGone,
  calledFromInside,
  descendants,
  openDescriptors,
  zygotes,
} from "../support/processes.ts";
import { noPython } from "../support/toolchain.ts";

const runs = 10_000;
const callers = 16;

/** What may become of a program, and how it comes to that. */
const kinds: readonly {
  readonly share: number;
  readonly code: string;
  readonly options?: ExecuteOptions;
  /** Called with the guest's process id, which the program prints. */
  readonly onPid?: (pid: number, cancel: () => Promise<void>) => unknown;
  readonly end: string;
}[] = [
  { share: 70, code: "print('x' * 100)\nresult = context['n']", end: "completed" },
  { share: 10, code: "1 / 0", end: "exception" },
  { share: 4, code: "def f(:", end: "syntax" },
  { share: 3, code: "import os\nos._exit(7)", end: "crashed" },
  {
    share: 3,
    code: "while True: print('x' * 1000)",
    options: { limits: { outputBytes: 50_000 } },
    end: "output_limit",
  },
  { share: 3, code: "while True: pass", options: { limits: { wallMs: 20 } }, end: "timeout" },
  {
    share: 2,
    code: "x = 'a' * 2**28",
    options: { limits: { memoryBytes: 2 ** 25 } },
    end: "memory",
  },
  {
    share: 3,
    code: "import os\nprint(os.getpid())\nwhile True: pass",
    onPid: (pid) => process.kill(calledFromInside(pid), "SIGKILL"),
    end: "crashed",
  },
  {
    share: 2,
    code: "import os, time\nprint(os.getpid())\ntime.sleep(60)",
    onPid: (_pid, cancel) => cancel(),
    end: "cancelled",
  },
];

// The zygote, guests that wait (how many of them moves), and the keeper of their namespaces.
const atRest = 1 + 8 + 1;

const schedule = kinds.flatMap((kind) => Array.from({ length: kind.share }, () => kind));

describe.skipIf(noPython)("10,000 mixed runs", () => {
  it("leave processes, descriptors and memory where they were", { timeout: 900_000 }, async () => {
    await using server = await createServer(
      parseConfig({
        port: 0,
        log_level: "warn",
        engines: ["cpython"],
        isolation: { require: "T0" },
        // Full before the first look: what is kept on purpose is not what this test looks for.
        retention: { tenant_bytes: 1024 * 1024 },
      }),
    );
    await using codemode = Codemode.connect({ url: server.url });
    const ends = new Map<string, number>();
    let next = 0;

    async function runOne(n: number): Promise<void> {
      // A stride that is prime to the number of kinds mixes them.
      const kind = schedule[(n * 37) % schedule.length];
      if (kind === undefined) throw new Error("no kind");
      const { onPid, code, options, end } = kind;
      await using execution = codemode.stream(code, { ...options, context: { n } });
      for await (const event of execution) {
        if (event.type === "output") await onPid?.(Number(event.text), () => execution.cancel());
      }
      const result = await execution.outcome;
      const came = result.status === "completed" ? result.status : result.error.reason;
      if (came !== end)
        throw new Error(`run ${n} of ${JSON.stringify(code)}: ${JSON.stringify(result)}`);
      if (result.status === "completed") expect(result.value).toBe(n);
      ends.set(came, (ends.get(came) ?? 0) + 1);
    }
    async function runMany(count: number): Promise<void> {
      const last = next + count;
      await Promise.all(
        Array.from({ length: callers }, async () => {
          while (next < last) await runOne(next++);
        }),
      );
    }

    await runMany(1_000); // warm
    const before = await settled(server.stats);
    await runMany(runs - 1_000);
    const after = await settled(server.stats);

    expect([...ends.values()].reduce((sum, count) => sum + count, 0)).toBe(runs);
    expect(ends.size).toBe(8);
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 2);
    expect(after.processes).toBeLessThanOrEqual(atRest);
    expect(after.heapBytes).toBeLessThan(before.heapBytes + 16 * 1024 * 1024);
    const pids = descendants().map((one) => one.pid);
    await codemode.close();
    await server[Symbol.asyncDispose]();
    await allGone(pids);
    expect(zygotes()).toEqual([]);
  });
});

/** A full collection: what is left on the heap is held by somebody. */
const collectGarbage = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

interface Footprint {
  readonly processes: number;
  /** Beside one for each process: how many guests wait moves, and each has its socket. */
  readonly descriptors: number;
  readonly heapBytes: number;
}

/** What is held when nothing runs: the guests that wait are back at their number. */
async function settled(stats: () => { inUse: number }): Promise<Footprint> {
  await expect.poll(() => stats().inUse, { timeout: 5_000 }).toBe(0);
  await expect.poll(() => descendants().length, { timeout: 10_000 }).toBeLessThanOrEqual(atRest);
  collectGarbage();
  const processes = descendants().length;
  return {
    processes,
    descriptors: openDescriptors() - processes,
    heapBytes: process.memoryUsage().heapUsed,
  };
}
