import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { Executor } from "../../../src/executors/executor.ts";
import { type SeededBug, spoil } from "./spoil.ts";

const caughtBy =
  "are none after 60 runs (a bug shows sooner): processes, threads, descriptors, memory";

/** An engine that keeps something of every fourth run; `dispose` takes it back. */
function keeping<T>(executor: Executor, keep: () => T, dispose: (kept: T) => unknown): Executor {
  const kept: T[] = [];
  let runs = 0;
  return spoil(executor, {
    program(program) {
      runs += 1;
      if (runs % 4 === 0) kept.push(keep());
      return program;
    },
    dispose: () => kept.forEach((each) => void dispose(each)),
  });
}

/** Bugs that leave something behind. */
export const leftoverBugs: readonly SeededBug[] = [
  {
    name: "a process is left behind",
    subject: "leftovers",
    caughtBy,
    plant: (executor) =>
      keeping(
        executor,
        () => spawn("sleep", ["60"], { stdio: "ignore" }),
        (child: ChildProcess) => child.kill("SIGKILL"),
      ),
  },
  {
    name: "a thread is left behind",
    subject: "leftovers",
    caughtBy,
    plant: (executor) =>
      keeping(
        executor,
        () => new Worker("setInterval(() => {}, 1000)", { eval: true }),
        (worker) => worker.terminate(),
      ),
  },
  {
    name: "a descriptor is left open",
    subject: "leftovers",
    caughtBy,
    plant: (executor) => keeping(executor, () => openSync("/dev/null", "r"), closeSync),
  },
  {
    name: "memory is held on to",
    subject: "leftovers",
    caughtBy,
    // Two MiB of numbers, on the heap.
    plant: (executor) =>
      keeping(
        executor,
        () => Array.from({ length: 2 ** 18 }, Math.random),
        () => {},
      ),
  },
];
