import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Oldest Python that guests run on. */
const oldest = [3, 9] as const;

const question =
  "import sys, json; print(json.dumps([list(sys.version_info[:3]), getattr(sys, '_base_executable', '') or sys.executable]))";

/** A Python interpreter of this machine. */
export interface Python {
  readonly path: string;
  readonly version: string;
}

/**
 * Finds the interpreter behind a command, through shims and virtual environments. Throws an Error
 * with the reason when there is none or it is too old.
 */
export async function findPython(command: string): Promise<Python> {
  const { version, path } = await ask(command);
  const [major = 0, minor = 0] = version;
  if (major !== oldest[0] || minor < oldest[1]) {
    throw new Error(
      `${command} is Python ${version.join(".")}, at least ${oldest.join(".")} is needed`,
    );
  }
  return { path: await realpath(path), version: version.join(".") };
}

async function ask(command: string): Promise<{ version: number[]; path: string }> {
  try {
    const { stdout } = await run(command, ["-I", "-S", "-c", question], {
      timeout: 20_000,
      cwd: "/",
    });
    const [version, path] = JSON.parse(stdout) as [number[], string];
    return { version, path };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Error(isMissing ? `no ${command} was found` : `${command} does not run`, {
      cause: error,
    });
  }
}
