import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onAbort } from "../../shared/abort.ts";
import { withPipes } from "../piped.ts";

const script = fileURLToPath(new URL("./guest/decoy.py", import.meta.url));

/** What only a process in the host's own namespaces can find; removed when disposed. */
export interface Decoy extends AsyncDisposable {
  /** Key of a System V shared memory segment that everybody may open. */
  readonly memoryKey: number;
}

/** Puts it there. Rejects where the machine does not let one be made. */
export async function openDecoy(python: string, signal: AbortSignal): Promise<Decoy> {
  const child = withPipes(
    spawn(python, ["-I", "-S", "-B", script], {
      env: {},
      cwd: "/",
      stdio: ["pipe", "pipe", "ignore"],
    }),
  );
  const ended = once(child, "close");
  ended.catch(() => {}); // where it could not be started, the line below says so
  using _ = onAbort(signal, () => child.kill("SIGKILL"));
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, "line"),
    ended.then(() => {
      throw new Error("no shared memory could be made to look for");
    }),
  ]);
  return {
    memoryKey: Number(line),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
