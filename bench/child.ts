import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";

/** A client in a process of its own that does one thing until it is stopped. */
export interface Apart<Report> extends AsyncDisposable {
  /** Ends what it does, and resolves with what came of it when nothing of it is left. */
  stop(): Promise<Report>;
}

// A client of another machine would take no CPU time from the service: this one stands behind it.
const groupNice = "19";

/**
 * Starts a script with an order, and resolves with its first message. It is expected to send a
 * report after the word "stop", and to live until it is disconnected.
 */
export async function startApart<Report>(script: string, order: object): Promise<Apart<Report>> {
  const child = fork(script, {
    execArgv: ["--conditions=codemode-source"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    // A session of its own is a scheduling group of its own (sched_autogroup).
    detached: true,
  });
  writeFileSync(`/proc/${child.pid}/autogroup`, groupNice);
  const exited = once(child, "exit");
  let report: Promise<Report> | undefined;
  child.send(order);
  await answerOf(child);
  const stop = () => {
    if (report === undefined) {
      report = answerOf(child) as Promise<Report>;
      child.send("stop");
    }
    return report;
  };
  return {
    stop,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) await stop();
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** The next message of a child. Rejects when it ends first. */
export async function answerOf(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    return await Promise.race([
      once(child, "message", { signal }).then(([answer]) => answer),
      once(child, "exit", { signal }).then(([code, why]) => {
        throw new Error(`${child.spawnargs.at(-1)} ended with ${why ?? code}`);
      }),
    ]);
  } finally {
    settled.abort();
  }
}
