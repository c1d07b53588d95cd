import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Command } from "./start.ts";

const run = promisify(execFile);

// Runs after the death signal is set: a service that has died before that is seen here.
const check = '[ "$PPID" = "$0" ] && exec env -i "$@"';

/** A command that does not outlive this process, whatever ends it; by util-linux's `setpriv`. */
export function mortal(command: Command): Command {
  return ["setpriv", "--pdeathsig", "KILL", "sh", "-c", check, String(process.pid), ...command];
}

/** Whether `mortal` works on this machine. */
export async function hasDeathSignal(): Promise<boolean> {
  const [file, ...args] = mortal(["true"]);
  return await run(file, args, { env: {} }).then(
    () => true,
    () => false,
  );
}
