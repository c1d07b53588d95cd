import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { mortal } from "./mortal.ts";
import type { NodeFiles } from "./node-files.ts";
import { rootSteps } from "./root-steps.ts";
import { type Command, startWalled } from "./start.ts";
import type { Wall } from "./wall.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("./namespaces.sh", import.meta.url));
const checkMs = 20_000;

const spaces =
  "--user --map-root-user --mount --pid --net --ipc --uts --fork --kill-child=KILL".split(" ");
// First to go when memory is short, and behind the service: see launch.py. Limits: no core dump, few
// descriptors, and few processes, where the shell knows how to say that.
const outside = `
echo 1000 2>/dev/null > /proc/self/oom_score_adj
echo 5 2>/dev/null > /proc/self/autogroup
ulimit -c 0; ulimit -n 1024; ulimit -u 512 2>/dev/null || ulimit -p 512 2>/dev/null
exec env -i "$@"`;

/**
 * A wall of namespaces, by util-linux's `unshare`, `setpriv` and `mount`. Rejects where one of them is
 * not there or is refused, with its own words.
 */
export async function namespaceWall(files: NodeFiles): Promise<Wall> {
  const own = [...files.programs, ...files.readable];
  const command = (readable: readonly string[], args: readonly string[]): Command => {
    const steps = [...rootSteps([...own, ...readable]), "run", process.execPath, ...args];
    return mortal(["sh", "-c", outside, "sh", "unshare", ...spaces, "sh", script, ...steps]);
  };
  const [file, ...args] = command([], ["--version"]);
  try {
    await run(file, args, { env: {}, cwd: "/", timeout: checkMs });
  } catch (error) {
    throw new Error(lastWords(error), { cause: error });
  }
  return {
    layers: ["namespaces"],
    missing: [],
    start: ({ args, readable }) => startWalled(command(readable, args)),
  };
}

function lastWords(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
  const [first] = (stderr ?? "").trim().split("\n");
  return first || message;
}
