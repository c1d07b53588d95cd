import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findPython } from "../src/sandbox/cpython/python.ts";

const script = fileURLToPath(new URL("./fork.py", import.meta.url));
const modules = ["cpython/guest", "lock"].map((folder) =>
  fileURLToPath(new URL(`../src/sandbox/${folder}`, import.meta.url)),
);

/** Forks per second of a bare zygote. */
export interface ForkRates {
  /** One after the other. */
  readonly serial: number;
  /** Two in flight: the next is forked while the last one exits. */
  readonly pair: number;
}

/** An interpreter like the zygote's that only forks and exits, on demand. */
export interface BareFork extends AsyncDisposable {
  /** Measures for so many seconds. */
  measure(seconds: number): Promise<ForkRates>;
}

/** Starts it. */
export async function startBareFork(): Promise<BareFork> {
  const python = await findPython("python3");
  const child = spawn(python.path, ["-I", "-S", "-B", "-X", "utf8", script, ...modules], {
    env: {},
    cwd: "/",
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async measure(seconds) {
      child.stdin.write(`${seconds}\n`);
      const { done, value } = await lines.next();
      if (done) throw new Error("the bare zygote ended");
      return JSON.parse(value);
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.stdin.end();
      await exited;
    },
  };
}
