import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPython } from "../../src/sandbox/cpython/python.ts";
import { run } from "../docs/support/run.ts";
import { missing, noCommand, noPython } from "../support/toolchain.ts";

const noUnshare = await noCommand("unshare", "--user", "--map-root-user", "true");
// To take the wall away takes a filter, which is put on by Python, for x86-64.
const noDenial =
  noPython ??
  (await missing("x86-64", () => {
    if (process.arch !== "x64") throw new Error(`this is ${process.arch}`);
  }));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "codemode-path-"));
  mkdirSync(join(folder, "bin"));
  for (const directory of (process.env.PATH ?? "").split(delimiter).toReversed()) {
    for (const name of namesIn(directory)) {
      if (/^(?:python|pyenv|pip)/.test(name)) continue;
      rmSync(join(folder, "bin", name), { force: true });
      symlinkSync(join(directory, name), join(folder, "bin", name));
    }
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // a PATH may name what is not there
  }
}

// A path without python3, and a home for what is cached from one test to the next.
const env = () => ({ PATH: join(folder, "bin"), HOME: folder });
const node = [process.execPath, "--conditions=codemode-source"];

/** A program of the project on a machine without python3. */
function runWithout(...args: readonly string[]) {
  const [command = "", ...rest] = [...node, ...args];
  return run(command, rest, env());
}

/** The same, where the kernel gives no namespaces either. */
async function runWithoutWall(...args: readonly string[]) {
  // Its path is known here alone: what it starts does not find it.
  const { path } = await findPython("python3");
  const denying = fileURLToPath(new URL("../isolation/fixtures/old-kernel.py", import.meta.url));
  const unshare = "272";
  return run(path, [denying, "1", unshare, ...node, ...args], env());
}

const python = [
  "=> int 4 ",
  '=> str {"status": "success", "value": 42} ',
  "=> 10 different answers",
  "failed: exception at line 2: ZeroDivisionError: division by zero",
  "failed: timeout: the program ran longer than 500 ms",
  "=> str sent to user_123: Cairo is warmest, 31 degrees ",
];
const javascript = ["=> Array [ 'Cairo', 'Lima' ] ", "=> bigint 18446744073709551617 "];

describe("on a machine without python3", { timeout: 180_000 }, () => {
  it.skipIf(noUnshare)("the demo's programs run on pyodide, behind a wall", async () => {
    const { stdout, stderr, exitCode } = await runWithout("examples/demo.ts");
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/cpython .*not up: .*python3/);
    expect(stdout).toMatch(/pyodide 3\.\d+\.\d+ \(python\): isolation T2 /);
    for (const text of [...python, ...javascript]) expect(stdout).toContain(text);
    expect(stdout).toContain("started   on pyodide, isolation T2");
    expect(stdout).not.toContain("WARNING");
  });

  it.skipIf(noDenial)(
    "and without a wall the demo says so, and goes on by its own word with a warning",
    async () => {
      const { stdout, stderr, exitCode } = await runWithoutWall("examples/demo.ts");
      expect(stderr).toBe("");
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/cpython: .*python3/);
      expect(stdout).toMatch(/pyodide: isolation is below the required tier T2: .*unshare/);
      expect(stdout).toContain('a weaker word of its own: isolation: { require: "T0" }');
      expect(stdout).toMatch(/pyodide 3\.\d+\.\d+ \(python\): isolation T0 /);
      expect(stdout).toMatch(/WARNING: weak isolation T0/);
      for (const text of [...python, ...javascript]) expect(stdout).toContain(text);
    },
  );

  it.skipIf(noDenial)(
    "and without a wall the service runs JavaScript, and says why it does not run Python",
    async () => {
      const service = "test/lifecycle/fixtures/languages.ts";
      const { stdout, stderr, exitCode } = await runWithoutWall(service);
      expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
      const [javascriptRan, pythonFailed] = stdout.trim().split("\n");
      expect(javascriptRan).toBe("javascript 4 quickjs T2");
      expect(pythonFailed).toMatch(
        /^python unsupported no engine runs python: cpython is not up: .*python3.*; pyodide is not up: isolation is below/,
      );
    },
  );
});
