import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import type { NodeFiles } from "./node-files.ts";
import { startWalled } from "./start.ts";
import type { Wall, WallLayer } from "./wall.ts";

const run = promisify(execFile);
const launcher = fileURLToPath(new URL("./launch.py", import.meta.url));
const checkMs = 20_000;
const refusedSchema = z.partialRecord(z.enum(["landlock", "seccomp", "namespaces"]), z.string());

/** A wall put on by a Python launcher: of the wanted layers, those that this machine gives. */
export async function lockedWall(
  python: string,
  files: NodeFiles,
  wanted: readonly WallLayer[],
): Promise<Wall> {
  const launch = (plan: object) => [
    ...["-I", "-S", "-B", "-X", "utf8", launcher],
    JSON.stringify({ ...files, program: process.execPath, ...plan }),
  ];
  const check = launch({ check: true });
  const { stdout } = await run(python, check, { env: {}, cwd: "/", timeout: checkMs });
  const refused = refusedSchema.parse(JSON.parse(stdout));
  const layers = wanted.filter((layer) => refused[layer] === undefined);
  return {
    layers,
    missing: Object.entries(refused).map(([layer, error]) => `${layer} (${error})`),
    start({ args, readable }) {
      const plan = {
        layers,
        arguments: args,
        parent: process.pid,
        readable: [...files.readable, ...readable],
      };
      return startWalled([python, ...launch(plan)]);
    },
  };
}
