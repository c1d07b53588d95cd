import { type ChildProcessByStdio, type StdioOptions, spawn } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import { inheritedDescriptors, openNothing } from "./inherited.ts";
import type { WalledExit, WalledProcess } from "./wall.ts";

/** A program and its arguments. */
export type Command = readonly [file: string, ...args: string[]];

/**
 * Starts a command with an empty environment, three pipes, a socket as its descriptor 3, and nothing
 * else of this process, in a session of its own.
 */
export function startWalled([file, ...args]: Command): WalledProcess {
  using nothing = openNothing();
  const stdio: StdioOptions = ["pipe", "pipe", "pipe", "pipe"];
  for (const descriptor of inheritedDescriptors(stdio.length)) {
    while (stdio.length < descriptor) stdio.push("ignore");
    stdio.push(nothing.descriptor);
  }
  const child = spawn(file, args, {
    env: {},
    cwd: "/",
    detached: true, // a terminal's signals are for the service to handle
    stdio,
  }) as ChildProcessByStdio<Writable, Readable, Readable>;
  const kill = () => void child.kill("SIGKILL");
  const channel = child.stdio[3] as Duplex;
  // Both are told of the process's end by `exited`.
  child.stdin.on("error", () => {});
  channel.on("error", () => {});
  const exited = new Promise<WalledExit>((resolve) => {
    child.once("error", (error) => {
      child.stderr.destroy(error);
      resolve({ code: 127, signal: null });
    });
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  return { child, channel, exited, kill, [Symbol.dispose]: kill };
}
