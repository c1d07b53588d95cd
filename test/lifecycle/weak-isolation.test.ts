import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findPython } from "../../src/sandbox/cpython/python.ts";
import { run } from "../docs/support/run.ts";
import { missing, noPython } from "../support/toolchain.ts";

// To take a wall away takes a filter, which is put on by Python, for x86-64.
const noDenial =
  noPython ??
  (await missing("x86-64", () => {
    if (process.arch !== "x64") throw new Error(`this is ${process.arch}`);
  }));
const landlock = "444";
const unshare = "272";
const seccomp = "317";

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

describe.skipIf(noDenial)("isolation below T2 that the configuration allows", () => {
  it.each([
    ["cpython", [landlock, unshare], /weak isolation T1: .*landlock/],
    ["pyodide", [landlock, unshare, seccomp], /weak isolation T0: nothing but WebAssembly/],
  ])(
    "is warned of in the log and in every outcome: %s",
    async (engine, denied, warning) => {
      const { path } = await findPython("python3");
      const node = [
        process.execPath,
        "--conditions=codemode-source",
        file("fixtures/weak.ts"),
        engine,
      ];
      const denying = [file("../isolation/fixtures/old-kernel.py"), "38", denied.join(",")];
      const { stdout } = await run(path, [...denying, ...node]);
      const lines = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(lines.at(-1)).toEqual({ outcome: [expect.stringMatching(warning)] });
      expect(lines.map(({ msg }) => msg)).toContainEqual(expect.stringMatching(warning));
    },
    60_000,
  );
});
