import { existsSync, readdirSync, readFileSync } from "node:fs";
import { pause } from "./stats.ts";

// The kernel adds up a running thread's time at each of its ticks, at worst every 10 ms.
const stillForMs = 25;
const lookedForMs = 60;
const busyShare = 0.1;

/** Milliseconds until a process is gone, reaped and all; looked at every one of them, which leaves it a core. */
export async function untilGone(pid: number, startedAt: number): Promise<number> {
  if (!existsSync(`/proc/${pid}`)) throw new Error(`there is no guest ${pid}`);
  while (existsSync(`/proc/${pid}`)) await pause(1);
  return performance.now() - startedAt;
}

/** Milliseconds until a thread (`PID/task/TID`) has computed for the last time; it may live on for the next guest. */
export async function untilStill(thread: string, startedAt: number): Promise<number> {
  let computedAt = performance.now();
  for (let last = runtimeOf(thread); performance.now() - computedAt < stillForMs; ) {
    await pause(1);
    const runtime = runtimeOf(thread);
    if (runtime === undefined) return performance.now() - startedAt;
    if (runtime !== last) computedAt = performance.now();
    last = runtime;
  }
  return computedAt - startedAt;
}

/** The thread (`PID/task/TID`) of some processes that computes, once there is only one: what makes the next guest has come to rest. */
export async function onlyBusyThread(pids: () => readonly number[]): Promise<string> {
  for (;;) {
    const before = new Map(threadsOf(pids()).map((thread) => [thread, runtimeOf(thread) ?? 0]));
    const startedAt = performance.now();
    await pause(lookedForMs);
    const busyNs = (performance.now() - startedAt) * 1e6 * busyShare;
    const busy = threadsOf(pids()).filter(
      (thread) => (runtimeOf(thread) ?? 0) - (before.get(thread) ?? 0) > busyNs,
    );
    if (busy.length === 1 && busy[0] !== undefined) return busy[0];
  }
}

function threadsOf(pids: readonly number[]): string[] {
  return pids.flatMap((pid) => {
    try {
      return readdirSync(`/proc/${pid}/task`).map((tid) => `${pid}/task/${tid}`);
    } catch {
      return []; // gone in the meantime
    }
  });
}

/** Time that a thread has computed, nanoseconds (the first field of its schedstat). */
function runtimeOf(thread: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${thread}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    return undefined;
  }
}
