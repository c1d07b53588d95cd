import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const cache = fileURLToPath(new URL("../../.cache/", import.meta.url));

/** Python of a virtual environment that holds `opencodemode` 0.2.x; made once, kept in .cache/. */
export async function installOpencodemode(): Promise<string> {
  const folder = `${cache}bench-opencodemode-0.2`;
  const python = `${folder}/bin/python`;
  const done = `${folder}/installed`;
  if (existsSync(done)) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  await run("python3", ["-m", "venv", folder], { timeout: 60_000 });
  // Every 0.2.x is a pre-release.
  const install = ["-m", "pip", "install", "--quiet", "--pre", "opencodemode==0.2.*"];
  await run(python, install, { timeout: 240_000 });
  await mkdir(`${done}.part`);
  await rename(`${done}.part`, done);
  return python;
}
