import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sleep } from "../../src/shared/abort.ts";
import { descendants, openDescriptors, statusOf } from "./processes.ts";

/** What this process and its descendants hold at a moment. */
export interface Footprint {
  readonly processes: number;
  /** Of this process and its descendants. */
  readonly threads: number;
  readonly descriptors: number;
  /** What is left on this process's heap after a collection. */
  readonly heapBytes: number;
  /** Private memory of the descendants. */
  readonly memoryBytes: number;
}

/** A full collection: what is left on the heap is held by somebody. */
const collectGarbage = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

/** Measures now. */
export function footprint(): Footprint {
  collectGarbage();
  const below = descendants();
  const self = statusOf(process.pid);
  const threads = [self, ...below].map((one) => Number(one?.fields.get("Threads") ?? 0));
  return {
    processes: below.length,
    threads: threads.reduce((sum, count) => sum + count, 0),
    descriptors: openDescriptors(),
    heapBytes: process.memoryUsage().heapUsed,
    memoryBytes: below.reduce((sum, { pid }) => sum + privateBytes(pid), 0),
  };
}

/** Options of `settledFootprint`. */
export interface SettleOptions {
  /** What is waited for; without it, that two looks agree in processes and threads. */
  readonly isGood?: (now: Footprint) => boolean;
  /** Default: 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Measures until what is held has settled, and gives the last look when the time is up: engines put
 * waiting guests back in place after a run.
 */
export async function settledFootprint(options: SettleOptions = {}): Promise<Footprint> {
  const { isGood, timeoutMs = 10_000 } = options;
  const until = performance.now() + timeoutMs;
  let last: Footprint | undefined;
  for (;;) {
    const now = footprint();
    const isSame = now.processes === last?.processes && now.threads === last.threads;
    if (isGood === undefined ? isSame : isGood(now)) return now;
    if (performance.now() > until) return now;
    last = now;
    await sleep(200);
  }
}

// Node starts threads of its own, and connections, when they are first needed.
const addedThreads = 4;
const addedDescriptors = 2;

/** Whether no more is held than before, but memory up to `addedBytes`. */
export function isWithin(now: Footprint, before: Footprint, addedBytes: number): boolean {
  return (
    now.processes <= before.processes &&
    now.threads <= before.threads + addedThreads &&
    now.descriptors <= before.descriptors + addedDescriptors &&
    now.heapBytes <= before.heapBytes + addedBytes &&
    now.memoryBytes <= before.memoryBytes + addedBytes
  );
}

/** CPU time that this process and its descendants use within a time, milliseconds. */
export async function cpuWithin(ms: number): Promise<number> {
  const before = cpuMs();
  await sleep(ms);
  return cpuMs() - before;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return descendants().reduce((sum, { pid }) => sum + cpuMsOf(pid), (user + system) / 1000);
}

function cpuMsOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The fields after the name, which may have anything in it; ticks of 10 ms.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0; // it has just ended
  }
}

/** Memory that no other process shares; 0 when the process has just ended. */
export function privateBytes(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const kilobytes = [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].map(([, n]) => Number(n));
    return kilobytes.reduce((sum, each) => sum + each, 0) * 1024;
  } catch {
    return 0;
  }
}
