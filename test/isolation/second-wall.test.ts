import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { startBrood } from "../../src/sandbox/cpython/brood.ts";
import { probeNamespaces } from "../../src/sandbox/cpython/probes.ts";
import { findPython } from "../../src/sandbox/cpython/python.ts";
import type { EngineInfo } from "../../src/shared/model.ts";
import { allGone, calledFromInside, descendants, zygotes } from "../support/processes.ts";
import { collect, jsonOf } from "../support/programs.ts";
import { startCpython } from "../support/toolchain.ts";
import { never, noSecondWall } from "./support.ts";

const run = promisify(execFile);
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const segments = () => readFileSync("/proc/sysvipc/shm", "utf8");
const attempts = `
import errno, os
def attempt(action):
    try:
        action(); return 'done'
    except OSError as e:
        return errno.errorcode[e.errno]
`;

describe.skipIf(noSecondWall)("the second wall", () => {
  it("makes T3, proven beside the lock and without it", async () => {
    const before = segments();
    await using executor = await startCpython({ requireTier: "T3" });
    const info = executor.info();
    expect(info).toMatchObject({ up: true, isolationTier: "T3", reason: "", warnings: [] });
    expect(info.probes.filter((probe) => !probe.refused)).toEqual([]);
    const own = info.probes.filter(({ name }) => name.startsWith("without the lock: "));
    expect(own.length).toBeGreaterThan(15);
    expect(segments()).toBe(before);
  });

  it("is tried once more when the guest that proves it is killed", async () => {
    const starting = startCpython({ requireTier: "T2" });
    await vi.waitFor(
      () => {
        const guests = zygotes().flatMap((one) => one.guests);
        const bare = guests.find(({ name, fields }) => {
          const isInside = (fields.get("NSpid") ?? "").includes("\t");
          return isInside && name.startsWith("python") && fields.get("Seccomp") === "0";
        });
        if (bare === undefined) throw new Error("no guest is there to prove it");
        process.kill(bare.pid, "SIGKILL");
      },
      { timeout: 20_000, interval: 1 },
    );
    await using executor = await starting;
    expect(executor.info()).toMatchObject({ up: true, isolationTier: "T3", warnings: [] });
  });

  it("hides what is on the host: no path of it can be looked at, by name or by way of itself", async () => {
    const directory = mkdtempSync(join(tmpdir(), "codemode-test-"));
    const file = join(directory, "file");
    writeFileSync(file, "text");
    const code = `${attempts}
paths = [config['file'], os.path.dirname(config['file']), '/proc', '/etc/passwd', '/home', '/dev', '/dev/null', '/sys', '/tmp', '../../proc', '../../../tmp', '/host']
{path: attempt(lambda: os.stat(path)) for path in paths} | {'cwd': os.getcwd()}`;
    const answersOf = async (secondWall: "auto" | "off") => {
      await using executor = await startCpython({ requireTier: "T2", secondWall });
      return (await jsonOf(executor, code, { config: { file } })) as Record<string, string>;
    };
    const { cwd, ...inside } = await answersOf("auto");
    expect(cwd).toBe("/");
    expect(new Set(Object.values(inside))).toEqual(new Set(["ENOENT"]));
    // Without this wall the same program sees that they are there.
    const outside = await answersOf("off");
    expect(outside["/etc/passwd"]).toBe("done");
    expect(outside["../../proc"]).toBe("done");
    rmSync(directory, { recursive: true });
  });

  it("gives guests namespaces that are not the host's, and numbers of their own", async () => {
    await using executor = await startCpython({ requireTier: "T3" });
    const controller = new AbortController();
    const said = Promise.withResolvers<number[]>();
    const running = collect(
      executor,
      "import os, time\nprint(os.getpid(), os.getppid())\ntime.sleep(60)",
      {
        signal: controller.signal,
        onEvent: (event) =>
          event.type === "output" && said.resolve(event.text.split(" ").map(Number)),
      },
    );
    const [inner = 0, parent] = await said.promise;
    expect(parent).toBe(0);
    const pid = calledFromInside(inner);
    expect(pid).not.toBe(inner);
    for (const kind of ["mnt", "net", "ipc", "uts", "pid"]) {
      const own = readlinkSync(`/proc/self/ns/${kind}`);
      expect(readlinkSync(`/proc/${pid}/ns/${kind}`), kind).not.toBe(own);
    }
    controller.abort();
    await running;
  });

  it("leaves everything working inside: late imports, zones, threads, native libraries", async () => {
    await using executor = await startCpython({ requireTier: "T3" });
    const code = `
import bz2, csv, ctypes, decimal, lzma, multiprocessing, sqlite3, ssl, threading, xml.etree.ElementTree, zoneinfo
seen = []
threads = [threading.Thread(target=seen.append, args=(n,)) for n in range(3)]
for one in threads: one.start()
for one in threads: one.join()
[sorted(seen), zoneinfo.ZoneInfo('Asia/Tokyo').key, sqlite3.connect(':memory:').execute('select 6*7').fetchone()[0], ssl.OPENSSL_VERSION != '', ctypes.CDLL(None) is not None]`;
    expect(await jsonOf(executor, code)).toEqual([[0, 1, 2], "Asia/Tokyo", 42, true, true]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "gives guests of a root service user ids of their own, wherever the interpreter lives",
    async () => {
      await using executor = await startCpython({ requireTier: "T3" });
      const uids = [
        await jsonOf(executor, "import os\nos.getuid()"),
        await jsonOf(executor, "import os\nos.getuid()"),
      ] as number[];
      for (const uid of uids) expect(uid).toBeGreaterThan(65_535);
      expect(new Set(uids).size).toBe(2);
    },
  );

  it("falls with the process that holds it, takes its guests along, and is put up again", async () => {
    await using executor = await startCpython({ requireTier: "T3" });
    const [family] = zygotes();
    if (family === undefined) expect.fail("no zygote");
    const guests = new Set(family.guests.map((guest) => guest.pid));
    const keeper = descendants(family.zygote.pid).find((one) => !guests.has(one.pid));
    if (keeper === undefined) expect.fail("no keeper");
    process.kill(keeper.pid, "SIGKILL");
    await allGone([family.zygote.pid, ...guests]);
    expect((await collect(executor, "2 + 2")).result).toMatchObject({ value: { json: "4" } });
    expect(executor.info()).toMatchObject({ up: true, isolationTier: "T3" });
  });

  it("is not proven by a guest that stayed outside: the same probes find the host", async () => {
    const { path: python } = await findPython("python3");
    await using brood = await startBrood({
      python,
      sitePackages: [],
      spare: 0,
      chooseLayers: () => [],
      onStderr: () => {},
      signal: never,
    });
    const lease = (signal: AbortSignal) => brood.leaseForProbes("bare", signal);
    const probes = await probeNamespaces(lease, { python, signal: never });
    const found = probes.filter((probe) => !probe.refused).map((probe) => probe.name);
    expect(found).toEqual(
      expect.arrayContaining([
        "share the root of the host",
        "leave by its working directory",
        "stat a process of the host",
        "list the processes of the host",
        "have a process number of the host",
        "connect to a TCP port",
        "connect to an abstract unix socket",
        "send a UDP datagram",
        "find shared memory of the host (shmget)",
        "leave a trace on the host",
      ]),
    );
  });
});

describe.skipIf(noSecondWall || process.arch !== "x64")(
  "where the second wall cannot be had",
  () => {
    const infoWithout = async (error: number, call: string, tier: string): Promise<EngineInfo> => {
      const command = [process.execPath, fixture("engine.ts"), tier, "python3", "2 + 2"];
      const old = [fixture("old-kernel.py"), String(error), call];
      const { stdout } = await run("python3", [...old, ...command]);
      const lines = stdout.trim().split("\n");
      if (tier !== "T3") expect(lines.at(-1)).toContain('"json":"4"');
      return JSON.parse(lines[0] ?? "") as EngineInfo;
    };
    const refusals = [
      ["unshare", 1, "272", "unshare: Operation not permitted"],
      ["mount", 1, "165", "mount: Operation not permitted"],
      ["pivot_root", 1, "155", "pivot_root: Operation not permitted"],
      ["mount_setattr", 38, "442", "mount_setattr: Function not implemented"],
      ["shmget", 1, "29", "no shared memory could be made to look for"],
    ] as const;

    it.each(refusals)(
      "because %s is refused, the lock is T2, and says why",
      async (_name, error, call, why) => {
        const info = await infoWithout(error, call, "T2");
        expect(info).toMatchObject({ up: true, isolationTier: "T2", warnings: [] });
        const open = info.probes.filter((probe) => !probe.refused);
        expect(open.map((probe) => probe.name)).toEqual(["stay in the namespaces of the host"]);
        expect(open[0]?.detail).toContain(why);
      },
    );

    it("an engine that must be T3 is not up, and says why", async () => {
      const command = [process.execPath, fixture("engine.ts"), "T3", "python3"];
      const { stdout } = await run("python3", [fixture("old-kernel.py"), "1", "272", ...command]);
      const info = JSON.parse(stdout) as EngineInfo;
      expect(info.up).toBe(false);
      expect(info.reason).toContain("isolation is below the required tier T3");
      expect(info.reason).toContain("unshare: Operation not permitted");
    });

    it.skipIf(process.getuid?.() !== 0)(
      "for want of CAP_SYS_ADMIN, a root service takes a user namespace, and loses nothing",
      async () => {
        const weaker = ["--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];
        const code = "import os\nos.getuid()";
        const command = [process.execPath, fixture("engine.ts"), "T3", "python3", code];
        const { stdout } = await run("setpriv", [...weaker, ...command]);
        const [info = "", ...rest] = stdout.trim().split("\n");
        expect(JSON.parse(info)).toMatchObject({ up: true, isolationTier: "T3" });
        const { value } = JSON.parse(rest.at(-1) ?? "") as { value: { json: string } };
        expect(Number(value.json)).toBeGreaterThan(65_535);
      },
    );

    it.skipIf(process.getuid?.() !== 0)(
      "nothing is missing for a plain user's service",
      async () => {
        const { stdout } = await run(
          process.execPath,
          [fixture("engine.ts"), "T3", "/usr/bin/python3", "import os\nos.stat('/etc/passwd')"],
          { uid: 65_534, gid: 65_534, cwd: "/", env: {} },
        );
        const lines = stdout.trim().split("\n");
        expect(JSON.parse(lines[0] ?? "")).toMatchObject({ up: true, isolationTier: "T3" });
        expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
          error: { type: "FileNotFoundError" },
        });
      },
    );
  },
);
