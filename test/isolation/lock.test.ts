import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { zygotes } from "../support/processes.ts";
import { collect, jsonOf } from "../support/programs.ts";
import { noCommand, noLock, startCpython } from "../support/toolchain.ts";

const run = promisify(execFile);
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const autogroup = "/proc/sys/kernel/sched_autogroup_enabled";
const noStrace = noLock ?? (await noCommand("strace", "-V"));

describe.skipIf(noLock)("the lock", () => {
  it("alone is T2, proven by probes that were all refused but the one of the second wall", async () => {
    await using executor = await startCpython({ requireTier: "T2", secondWall: "off" });
    const info = executor.info();
    expect(info).toMatchObject({ up: true, isolationTier: "T2", warnings: [] });
    expect(info.probes.length).toBeGreaterThan(30);
    expect(info.probes.filter((probe) => !probe.refused)).toEqual([
      {
        name: "stay in the namespaces of the host",
        refused: false,
        detail: "the configuration says off",
      },
    ]);
  });

  // Where the kernel weighs all guests together, each of them need not yield by itself.
  const guestNice = existsSync(autogroup) && readFileSync(autogroup, "utf8").trim() === "1" ? 0 : 5;

  it("is around every guest that waits, before anything is sent to it", async () => {
    await using executor = await startCpython({ requireTier: "T2" });
    await collect(executor, "1");
    const waiting = await vi.waitFor(() => {
      const guests = zygotes().flatMap((one) => one.guests);
      const locked = guests.filter(({ fields }) => fields.get("Seccomp") === "2");
      expect(locked.length).toBe(4);
      return locked;
    });
    for (const { pid, fields } of waiting) {
      expect(fields.get("NoNewPrivs")).toBe("1");
      expect(fields.get("CapEff")).toMatch(/^0+$/);
      expect(fields.get("CapPrm")).toMatch(/^0+$/);
      expect(fields.get("CapBnd")).toMatch(process.getuid?.() === 0 ? /^0+$/ : /./);
      expect(Number(fields.get("Threads"))).toBe(1);
      // The service goes first, and a guest is the first to be killed when memory is short.
      expect([guestNice, guestNice + 10]).toContain(getPriority(pid));
      expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim()).toBe("1000");
    }
  });

  it.skipIf(noStrace)("is complete before the first byte of source is read", async () => {
    const mark = "MARK_OF_THE_SOURCE";
    const directory = mkdtempSync(join(tmpdir(), "codemode-test-"));
    const log = join(directory, "trace");
    try {
      await run("strace", [
        ...["-ff", "-qq", "-s", "64", "-o", log],
        ...["-e", "trace=read,seccomp,landlock_restrict_self,prctl,prlimit64"],
        ...[process.execPath, fixture("engine.ts"), "T2", "python3", `'${mark}'`],
      ]);
      // One file a process, so that no call is torn apart.
      const traces = readdirSync(directory).map((name) =>
        readFileSync(join(directory, name), "utf8"),
      );
      const readsSource = (line: string) => line.startsWith("read(3") && line.includes(mark);
      const own =
        traces.map((trace) => trace.split("\n")).find((lines) => lines.some(readsSource)) ?? [];
      const before = own.slice(0, own.findIndex(readsSource));
      expect(before).not.toEqual([]);
      const done = (text: string) =>
        before.some((line) => line.includes(text) && / = \d+$/.test(line));
      expect(done("landlock_restrict_self(")).toBe(true);
      expect(done("PR_SET_NO_NEW_PRIVS")).toBe(true);
      expect(done("RLIMIT_AS")).toBe(true);
      expect(before.filter((line) => line.includes("SECCOMP_SET_MODE_FILTER"))).toHaveLength(2);
      // Up to then it has read its limits, 64 bytes, and the five bytes of a frame's header.
      const sizes = before
        .filter((line) => line.startsWith("read(3"))
        .map((line) => line.split(" = ")[1]);
      expect(sizes).toEqual(["64", "5"]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("gives no channel between two runs through kernel objects", async () => {
    await using executor = await startCpython({ requireTier: "T2" });
    const code = `
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    return errno.errorcode.get(ctypes.get_errno()) if libc.syscall(*args) < 0 else 'done'
[call(29, 77, 4096, 0o1666), call(64, 77, 1, 0o1666), call(68, 77, 0o1666), call(240, b'/q', 0o102, 0o666, 0), call(250, 0, -3, 1), call(248, b'user', b'x', b'y', 1, -3)]`;
    expect(await jsonOf(executor, code)).toEqual(Array(6).fill("EPERM"));
  });

  it("kills a guest that makes a system call of another architecture", async () => {
    if (process.arch !== "x64") return;
    await using executor = await startCpython({ requireTier: "T2" });
    const { result } = await collect(
      executor,
      "import ctypes\nctypes.CDLL(None).syscall(0x40000000 + 39)",
    );
    expect(result).toMatchObject({
      status: "failed",
      error: { reason: "crashed", message: "the guest was killed by SIGSYS" },
    });
  });

  it("cannot be loosened from inside: limits, filters, capabilities, priority", async () => {
    await using executor = await startCpython({ requireTier: "T2" });
    const code = `
import ctypes, errno, os, resource
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    return errno.errorcode.get(ctypes.get_errno()) if libc.syscall(*args) < 0 else 'done'
def attempt(action):
    try:
        action(); return 'done'
    except (OSError, ValueError) as e:
        return errno.errorcode[e.errno] if isinstance(e, OSError) else str(e)
[attempt(lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1))), attempt(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (10, 10))),
 call(317, 1, 0, 0), call(157, 4, 1, 0, 0, 0), call(126, 0, 0), attempt(lambda: os.nice(-5)), attempt(lambda: os.setuid(0)), call(446, 0, 0)]`;
    expect(await jsonOf(executor, code)).toEqual([
      "not allowed to raise maximum limit",
      "not allowed to raise maximum limit",
      "EPERM",
      "EPERM",
      "EPERM",
      "EPERM",
      "EPERM",
      "EPERM",
    ]);
  });
});
