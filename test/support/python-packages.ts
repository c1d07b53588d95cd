import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { missing } from "./toolchain.ts";

const run = promisify(execFile);

/**
 * A Python with packages from PyPI, installed once on a machine: its path, and why there is none
 * where there is none. `name` says in a message what they are for.
 */
export async function pythonWith(
  name: string,
  packages: readonly string[],
): Promise<{ readonly missing: string | undefined; readonly python: string }> {
  const key = createHash("sha256").update(packages.join(" ")).digest("hex").slice(0, 12);
  const folder = path.join(os.tmpdir(), `codemode-${name}-${key}-${os.userInfo().uid}`);
  const why = await missing(`python3 with ${name} from PyPI`, () => install(folder, packages));
  return { missing: why, python: path.join(folder, "bin/python") };
}

async function install(folder: string, packages: readonly string[]): Promise<void> {
  if (existsSync(folder)) return;
  const making = `${folder}.${process.pid}`;
  await run("python3", ["-m", "venv", making], { timeout: 60_000 });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await run(path.join(making, "bin/python"), [...pip, ...packages], { timeout: 240_000 });
  // Another test may have been faster.
  await rename(making, folder).catch(() => rm(making, { recursive: true }));
}
