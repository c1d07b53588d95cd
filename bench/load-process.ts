import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LoadName } from "./loads.ts";

/** What a client that makes load is told at its start. */
export interface LoadOrder {
  readonly name: LoadName;
  readonly url: string;
  readonly apiKey: string;
}

/** What came of a load from the moment that it was under way to the word to stop. */
export interface LoadReport {
  readonly seconds: number;
  /** Programs that came to an end, by how: "completed", or the reason of the failure. */
  readonly ends: Readonly<Record<string, number>>;
  /** Calls that were refused, milliseconds each; none of them is tried again. */
  readonly refusalMs: readonly number[];
  /** Refusals that did not say when to come back. */
  readonly withoutRetryInfo: number;
}

/** A client in a process of its own that makes one kind of load until it is stopped. */
export interface LoadProcess extends AsyncDisposable {
  /** Ends the load, and resolves with what came of it when nothing of it is left. */
  stop(): Promise<LoadReport>;
}

// A client of another machine would take no CPU time from the service: this one stands behind it.
const groupNice = "10";

/** Starts a load; resolves when it is fully under way. */
export async function startLoad(order: LoadOrder): Promise<LoadProcess> {
  const child = fork(fileURLToPath(new URL("./load.ts", import.meta.url)), {
    execArgv: ["--conditions=source"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    // A session of its own is a scheduling group of its own (sched_autogroup).
    detached: true,
  });
  writeFileSync(`/proc/${child.pid}/autogroup`, groupNice);
  const exited = once(child, "exit");
  let report: Promise<LoadReport> | undefined;
  child.send(order);
  await answerOf(child);
  const stop = () => {
    if (report === undefined) {
      report = answerOf(child) as Promise<LoadReport>;
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

async function answerOf(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    return await Promise.race([
      once(child, "message", { signal }).then(([answer]) => answer),
      once(child, "exit", { signal }).then(([code, why]) => {
        throw new Error(`the client that makes load ended with ${why ?? code}`);
      }),
    ]);
  } finally {
    settled.abort();
  }
}
