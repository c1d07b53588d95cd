import type { ChildProcessByStdio } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";

/** What keeps a walled process in: files by Landlock, system calls by seccomp, the rest of the host by namespaces. */
export type WallLayer = "landlock" | "seccomp" | "namespaces";

/**
 * A Node program to be started inside a wall. It finds no /proc, so that `process.memoryUsage()`
 * throws there, `os.cpus()` is empty, and a descriptor of /dev/null cannot be opened.
 */
export interface WalledCommand {
  /** What follows `node`: flags, the script (absolute), its arguments. Nothing secret: other processes see it. */
  readonly args: readonly string[];
  /**
   * Absolute paths that the program may read, directories with all below them: its own code and its
   * packages. Node, its shared libraries and this package's `package.json` need not be named.
   */
  readonly readable: readonly string[];
}

/** How a walled process ended; the signal by its name. */
export interface WalledExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A Node process inside a wall, with an empty environment. Disposing kills it; it dies with this process, too. */
export interface WalledProcess extends Disposable {
  /** The process that was started: a launcher where there is one, whose end is the end of all behind it. */
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** A socket that the program has as descriptor 3. */
  readonly channel: Duplex;
  /** Resolves when the process and its streams are gone; never rejects. */
  readonly exited: Promise<WalledExit>;
  /** Kills it, whatever it does; idempotent. */
  kill(): void;
}

/** The strongest wall that this machine gives to a Node process (`findWall`), and what it has not given. */
export interface Wall {
  /** Empty where there is no wall at all. */
  readonly layers: readonly WallLayer[];
  /** Why a layer is not there, each with the layer's name and the error: `namespaces (unshare: EPERM)`. */
  readonly missing: readonly string[];
  /** Starts a program inside the wall. A program that cannot be started ends at once, with its reason on stderr. */
  start(command: WalledCommand): WalledProcess;
}
