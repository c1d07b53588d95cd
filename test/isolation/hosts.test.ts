import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { EngineInfo } from "../../src/shared/model.ts";
import { descendants } from "../support/processes.ts";
import { jsonOf } from "../support/programs.ts";
import { noLock, startCpython } from "../support/toolchain.ts";

const run = promisify(execFile);
const unshare = process.arch === "x64" ? "272" : "97";
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

describe.skipIf(noLock)("the lock on other hosts", () => {
  const pythons = [
    ...new Set([
      "python3",
      "/usr/bin/python3",
      ...(process.env.CODEMODE_TEST_PYTHONS ?? "").split(":"),
    ]),
  ].filter((python) => python !== "" && !failsToRun(python));

  it.each(pythons)(
    "is T2 with %s, under a user id of its own wherever its files stay readable",
    async (python) => {
      await using executor = await startCpython({ requireTier: "T2", secondWall: "off", python });
      expect(executor.info()).toMatchObject({ up: true, reason: "", isolationTier: "T2" });
      const [uid, late] = (await jsonOf(
        executor,
        "import os, sqlite3, csv, zoneinfo\n[os.getuid(), zoneinfo.ZoneInfo('Asia/Tokyo').key]",
      )) as [number, string];
      expect(late).toBe("Asia/Tokyo");
      if (process.getuid?.() === 0) {
        const isPrivate = execFileSync(python, ["-c", "import os; print(os.__file__)"], {
          encoding: "utf8",
        }).startsWith("/root/");
        if (isPrivate) expect(uid).toBe(0);
        else expect(uid).toBeGreaterThan(65_535);
      } else expect(uid).toBe(process.getuid?.());
    },
  );

  it.skipIf(process.getuid?.() !== 0)("is T2 for a service that runs as a plain user", async () => {
    const { stdout } = await run(
      "python3",
      [
        ...[fixture("old-kernel.py"), "1", unshare],
        ...[process.execPath, fixture("engine.ts")],
        "T2",
        "/usr/bin/python3",
        "import os\n[os.getuid(), open('/etc/passwd').read()]",
      ],
      { uid: 65_534, gid: 65_534, cwd: "/", env: { PATH: "/usr/bin:/bin" } },
    );
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ up: true, isolationTier: "T2" });
    expect(lines.at(-1)).toMatchObject({ error: { type: "PermissionError" } });
  });

  const old = { landlock: "444", seccomp: "317" };
  const engineOn = async (
    missing: keyof typeof old,
    tier: string,
    code?: string,
  ): Promise<unknown[]> => {
    const command = [
      process.execPath,
      fixture("engine.ts"),
      tier,
      "python3",
      ...(code === undefined ? [] : [code]),
    ];
    const { stdout } = await run("python3", [
      fixture("old-kernel.py"),
      "38",
      old[missing],
      ...command,
    ]);
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  };

  it.each(["landlock", "seccomp"] as const)(
    "does not run where the kernel has no %s, and says so",
    async (missing) => {
      if (process.arch !== "x64") return;
      const [info] = (await engineOn(missing, "T2")) as [EngineInfo];
      expect(info.up).toBe(false);
      expect(info.reason).toContain("isolation is below the required tier T2");
      expect(info.reason).toContain(`${missing} ([Errno 38]`);
    },
  );

  it.each(["landlock", "seccomp"] as const)(
    "runs without %s only by an explicit weaker word, with a warning",
    async (missing) => {
      if (process.arch !== "x64") return;
      const [info, ...rest] = (await engineOn(missing, "T0", "2 + 2")) as [
        EngineInfo,
        ...unknown[],
      ];
      expect(info.up).toBe(true);
      expect(["T0", "T1"]).toContain(info.isolationTier);
      expect(info.warnings.join()).toContain(`weak isolation ${info.isolationTier}`);
      expect(info.warnings.join()).toContain(missing);
      expect(info.probes.some((probe) => !probe.refused)).toBe(true);
      expect(rest.at(-1)).toMatchObject({ status: "completed", value: { json: "4" } });
    },
  );
});

it.skipIf(noLock)("leaves no process behind after these tests", async () => {
  expect(descendants().filter((one) => one.name.startsWith("python"))).toEqual([]);
});

function failsToRun(command: string): boolean {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return false;
  } catch {
    return true;
  }
}
