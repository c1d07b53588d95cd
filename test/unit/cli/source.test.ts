import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it, onTestFinished, vi } from "vitest";
import { languageOf, readSource } from "../../../src/cli/source.ts";

it.each([
  ["plan.js", "javascript"],
  ["dir.ts/plan.mjs", "javascript"],
  ["plan.ts", "typescript"],
  ["plan.mts", "typescript"],
  ["plan.py", undefined],
  ["-", undefined],
  ["plan", undefined],
])("tells the language of %s by its ending", (file, language) => {
  expect(languageOf(file)).toBe(language);
});

it("finds a file from the folder that npm was called in, in a script of npm's only", async () => {
  const folder = mkdtempSync(join(tmpdir(), "codemode-test-"));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, "plan.py"), "1 + 1");
  vi.stubEnv("INIT_CWD", folder);
  vi.stubEnv("npm_package_json", join(process.cwd(), "package.json"));
  expect(await readSource("plan.py", Readable.from([]))).toBe("1 + 1");
  vi.stubEnv("npm_package_json", "/elsewhere/package.json");
  await expect(readSource("plan.py", Readable.from([]))).rejects.toThrow("plan.py: no such file");
});
