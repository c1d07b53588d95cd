import { type ChildProcessByStdio, type StdioOptions, spawn } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import { withPipes } from "../piped.ts";
import { inheritedDescriptors, openNothing } from "./inherited.ts";
import type { WalledExit, WalledProcess } from "./wall.ts";

/** A program and its arguments. */
export type Command = readonly [file: string, ...args: string[]];

/**
 * Starts a command with an empty environment, three pipes, a socket as its descriptor 3, and nothing
 * else of this process, in a session of its own. One that cannot be started says why as if by itself, on
 * its standard error, and has exited with 127; throws where no descriptors are left.
 */
export function startWalled([file, ...args]: Command): WalledProcess {
  using nothing = openNothing();
  const stdio: StdioOptions = ["pipe", "pipe", "pipe", "pipe"];
  for (const descriptor of inheritedDescriptors(stdio.length)) {
    while (stdio.length < descriptor) stdio.push("ignore");
    stdio.push(nothing.descriptor);
  }
  const options = { env: {}, cwd: "/", stdio };
  // A session of its own: a terminal's signals are for the service to handle.
  const started = withPipes(spawn(file, args, { ...options, detached: true }));
  const child = started as ChildProcessByStdio<Writable, Readable, Readable>;
  const kill = () => void child.kill("SIGKILL");
  const channel = child.stdio[3] as Duplex;
  // Both are told of the process's end by `exited`.
  child.stdin.on("error", () => {});
  channel.on("error", () => {});
  const exited = new Promise<WalledExit>((resolve) => {
    child.on("error", (error) => {
      if (child.pid !== undefined) return; // it runs, and has not heard a signal
      child.stderr.push(`${error.message}\n`);
      for (const stream of [child.stderr, channel]) stream.push(null);
      resolve({ code: 127, signal: null });
    });
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  return { child, channel, exited, kill, [Symbol.dispose]: kill };
}
