import { execFile, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type GroupedProbe, provenTier } from "../../src/sandbox/isolation.ts";
import { findWall } from "../../src/sandbox/wall/find.ts";
import { proveWall } from "../../src/sandbox/wall/prove.ts";
import type { Wall } from "../../src/sandbox/wall/wall.ts";
import { allGone, descendants } from "../support/processes.ts";
import { never, noWalls, walls } from "./support.ts";

const run = promisify(execFile);
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const program = fixture("walled.mjs");
const unshare = process.arch === "x64" ? "272" : "97";

/** Runs a task of fixtures/walled.mjs behind a wall. */
async function ask(wall: Wall, task: string, argument = "", ...readable: string[]) {
  using started = wall.start({ args: [program, task, argument], readable: [program, ...readable] });
  const { child, channel } = started;
  if (task === "echo") channel.write("hello");
  const [answer, out, complaint] = await Promise.all(
    [channel, child.stdout, child.stderr].map((stream) => text(stream).catch(() => "")),
  );
  return { answer, out, complaint, exit: await started.exited };
}

const open = (probes: readonly GroupedProbe[]) =>
  probes.filter((probe) => !probe.refused).map((probe) => probe.name);

describe.skipIf(noWalls).each(walls)("a Node process behind $title", ({ open: openWall }) => {
  it("cannot get out: every probe is refused", async () => {
    const wall = await openWall();
    const probes = await proveWall(wall, never);
    expect(open(probes)).toEqual([]);
    expect(probes.length).toBeGreaterThan(15);
    expect(provenTier(probes)).toBe("T2");
    const looks = probes.map((probe) => probe.name).includes("stat a file of the host");
    expect(looks).toBe(wall.layers.includes("namespaces"));
  });

  it("talks over its channel, and has an empty environment", async () => {
    const wall = await openWall();
    expect(await ask(wall, "echo")).toMatchObject({ answer: '"hello"', exit: { code: 0 } });
    expect(await ask(wall, "environment")).toMatchObject({ answer: "{}" });
  });

  it("runs what an engine needs: workers that can be stopped, WebAssembly, TypeScript", async () => {
    const { answer = "", complaint } = await ask(await openWall(), "engine");
    expect(answer, complaint).not.toBe("");
    expect(JSON.parse(answer)).toEqual({ bytes: 1001 * 65_536, code: 1, stripped: "let a" });
  });

  it("reads the files that it is given, changes none, and finds no other", async () => {
    const directory = mkdtempSync(join(tmpdir(), "codemode-test-"));
    const file = join(directory, "file");
    writeFileSync(file, "text");
    const wall = await openWall();
    const { answer = "" } = await ask(wall, "files", file, directory);
    expect(readFileSync(file, "utf8")).toBe("text");
    rmSync(directory, { recursive: true });
    const said = JSON.parse(answer) as Record<string, unknown>;
    expect(said.read).toBe("text");
    for (const refused of [said.write, said.beside]) {
      expect(["EACCES", "EPERM", "EROFS", "ENOENT"]).toContain(refused);
    }
    expect(said.exists).toBe(!wall.layers.includes("namespaces"));
  });

  it("ends as it ended, whoever stands before it", async () => {
    const wall = await openWall();
    expect((await ask(wall, "exit")).exit).toEqual({ code: 7, signal: null });
    const { exit } = await ask(wall, "abort");
    expect(exit.code === null || exit.code > 128).toBe(true);
  });

  it("becomes no program of the host", async () => {
    const { out, exit } = await ask(await openWall(), "execute");
    expect(out).toBe("");
    expect(exit).not.toEqual({ code: 0, signal: null });
  });

  it("says why it cannot start", async () => {
    const wall = await openWall();
    const { complaint, exit } = await ask(wall, "echo", "", "/codemode-nothing/here");
    expect(complaint).toMatch(/No such file|does not exist/);
    expect(exit).not.toEqual({ code: 0, signal: null });
  });

  it("is killed from outside, whatever it does", async () => {
    const wall = await openWall();
    const started = wall.start({
      args: ["-e", "console.log('up');while(true);"],
      readable: [],
    });
    for await (const line of createInterface({ input: started.child.stdout })) {
      if (line === "up") break;
    }
    const all = [started.child.pid ?? 0, ...descendants(started.child.pid).map((one) => one.pid)];
    started.kill();
    expect(await started.exited).toMatchObject({ signal: "SIGKILL" });
    await allGone(all);
  });
});

describe.skipIf(noWalls)("a wall", () => {
  it("lets no descriptor through that the service was started with", async () => {
    const file = openSync(program, "r");
    // Node closes the lowest ones itself (uv_disable_stdio_inheritance), and stops there.
    const stdio: (number | "ignore" | "pipe" | "inherit")[] = ["ignore", "pipe", "inherit"];
    while (stdio.length < 40) stdio.push("ignore");
    stdio.push(file);
    const service = spawn(process.execPath, [fixture("wall.ts"), "none", "prove"], { stdio });
    closeSync(file);
    if (service.stdout === null) expect.fail("no output");
    const [, probes = "[]"] = (await text(service.stdout)).split("\n");
    expect(open(JSON.parse(probes) as GroupedProbe[])).toEqual([]);
    expect(probes).toContain("keep a descriptor of the host");
  });

  it("with the lock lets Node start once, and not again", async () => {
    const wall = await findWall({ python: "python3", layers: ["landlock", "seccomp"] });
    expect(await ask(wall, "again")).not.toMatchObject({
      out: expect.stringContaining("REPLACED"),
    });
  });

  it.each([
    [["landlock"], ["send a UDP datagram", "leave a trace on the host"], "T0"],
    [["seccomp"], ["list the processes of the host"], "T1"],
  ] as const)("of %s alone has the holes that the other fills", async (layers, holes, tier) => {
    const probes = await proveWall(await findWall({ python: "python3", layers }), never);
    expect(open(probes)).toEqual(expect.arrayContaining([...holes]));
    expect(provenTier(probes)).toBe(tier);
  });

  it.each(["python3", "none"])(
    "of the service (%s) dies with it, killed by SIGKILL",
    async (python) => {
      const service = spawn(process.execPath, [fixture("wall.ts"), python, "spin"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      for await (const line of createInterface({ input: service.stdout })) if (line === "up") break;
      const family = descendants(service.pid);
      expect(family.length).toBeGreaterThan(0);
      service.kill("SIGKILL");
      await allGone(family.map((one) => one.pid));
    },
  );

  const without = async (
    calls: string,
    python: string,
    task = "prove",
    options: object = {},
  ): Promise<[Pick<Wall, "layers" | "missing">, GroupedProbe[]]> => {
    const command = [process.execPath, fixture("wall.ts"), python, task];
    const old = [fixture("old-kernel.py"), "1", calls, ...command];
    const { stdout } = await run("/usr/bin/python3", old, options);
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)) as [Pick<Wall, "layers" | "missing">, GroupedProbe[]];
  };

  it("is the lock alone where namespaces are refused", async () => {
    const [wall, probes] = await without(unshare, "python3");
    expect(wall.layers).toEqual(["landlock", "seccomp"]);
    expect(wall.missing.join()).toContain(
      "namespaces ([Errno 1] unshare: Operation not permitted)",
    );
    expect(open(probes)).toEqual([]);
  });

  it("is none where there is no python3 and namespaces are refused, and nothing pretends", async () => {
    const [wall, probes] = await without(unshare, "none");
    expect(wall.layers).toEqual([]);
    expect(wall.missing).toEqual([
      "landlock (no python3 is configured)",
      "seccomp (no python3 is configured)",
      expect.stringMatching(/^namespaces \(unshare: .*Operation not permitted\)$/),
    ]);
    expect(provenTier(probes)).toBe("T0");
    expect(open(probes).length).toBeGreaterThan(8);
  });

  it.skipIf(process.getuid?.() !== 0).each(["/usr/bin/python3", "none"])(
    "is whole for a plain user's service (%s)",
    async (python) => {
      const { stdout } = await run(process.execPath, [fixture("wall.ts"), python, "prove"], {
        uid: 65_534,
        gid: 65_534,
        cwd: "/",
        env: {},
      });
      const [wall, probes] = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)) as [Wall, GroupedProbe[]];
      expect(wall.layers).toContain("namespaces");
      expect(open(probes)).toEqual([]);
    },
  );
});
