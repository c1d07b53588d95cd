import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { privateBytes } from "../support/footprint.ts";
import type { Violation } from "./check.ts";
import { tenants } from "./plan.ts";
import { enginesAtWork, targetsOf } from "./targets.ts";
import { untilCalm, type World } from "./world.ts";

/** What the service holds when nothing runs and nothing is kept. */
export interface Footprint {
  readonly processes: readonly string[];
  readonly descriptors: number;
  readonly heapBytes: number;
}

/** What the engine of JavaScript holds: its guests are threads, which no list of processes shows. */
export interface EngineFootprint {
  readonly threads: number;
  /** 0 where the machine does not show them. */
  readonly descriptors: number;
  readonly memoryBytes: number;
}

const MiB = 1024 * 1024;
// The same as the soak test's: compiled code and the shapes of objects that a first run did not need.
const heapMargin = 16 * MiB;
// A request id is remembered for an hour, in some 700 bytes with a small outcome (server/slots.ts).
const bytesPerRequest = 1_024;
// Connections of the SDK's and of the tool service's that are about to close.
const descriptorMargin = 3;
// Freed memory that the allocator keeps, and compiled code: an engine that is new holds 120 MiB.
const engineMargin = 512 * MiB;
const patienceMs = 60_000;

/** Waits until nothing runs and no log is kept any more, then measures. */
export async function settle(world: World): Promise<Footprint> {
  const isEmpty = await comesTrue(async () => (await known(world)) === 0);
  if (!isEmpty) throw new Error("executions are known for ever");
  // What is too many stays: the comparison tells of it.
  const count = () => world.processes().length;
  await comesTrue(async () => {
    // A zygote that started anew may have one process less, where the machine gave it no second wall.
    return count() === world.restingProcesses || (await untilCalm(count)) < world.restingProcesses;
  });
  const heapBytes = await world.heapBytes();
  const processes = world.processes().map(({ pid, name }) => `${name} ${pid}`);
  return { processes, descriptors: await world.descriptors(), heapBytes };
}

/** What the engine holds at this moment; nothing where there is none. */
export function lookAtEngine(world: World): EngineFootprint {
  const engines = enginesAtWork(targetsOf(world.pid, world.processes()));
  const sum = (amounts: readonly number[]) => amounts.reduce((all, one) => all + one, 0);
  return {
    threads: sum(engines.map(({ fields }) => Number(fields.get("Threads") ?? 0))),
    descriptors: sum(engines.map(({ pid }) => descriptorsOf(pid))),
    memoryBytes: sum(engines.map(({ pid }) => privateBytes(pid))),
  };
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0; // it has just ended, or is another user's
  }
}

/** Waits until the engine has no more threads than when it was new, which takes it a while, then measures. */
export async function settleEngine(world: World, start: EngineFootprint): Promise<EngineFootprint> {
  await comesTrue(() => {
    const { threads } = lookAtEngine(world);
    return threads > 0 && threads <= start.threads;
  });
  return lookAtEngine(world);
}

/** Waits for a condition; false when it has not come true in a minute. */
async function comesTrue(isTrue: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const endsAt = Date.now() + patienceMs; !(await isTrue()); await sleep(50)) {
    if (Date.now() > endsAt) return false;
  }
  return true;
}

async function known(world: World): Promise<number> {
  const pages = tenants.map((tenant) =>
    world.auditor(tenant).executor.listExecutions({ pageSize: 1 }),
  );
  const lists = await Promise.all(pages);
  return lists.reduce((sum, { executions }) => sum + executions.length, 0);
}

/** What is left over from a run of so many requests with an id. */
export function checkFootprint(before: Footprint, after: Footprint, requests: number): Violation[] {
  const found: Violation[] = [];
  if (after.processes.length > before.processes.length) {
    const detail = `${after.processes.join(", ")} for ${before.processes.join(", ")}`;
    found.push({ name: "processes left over", detail });
  }
  if (after.descriptors > before.descriptors + descriptorMargin) {
    const detail = `${before.descriptors} before, ${after.descriptors} after`;
    found.push({ name: "descriptors left over", detail });
  }
  if (after.heapBytes > before.heapBytes + heapMargin + requests * bytesPerRequest) {
    const detail = `${before.heapBytes} bytes before, ${after.heapBytes} after ${requests} requests`;
    found.push({ name: "bytes left over", detail });
  }
  return found;
}

/** What is left over in the engine, which may be another one than at the start. */
export function checkEngine(start: EngineFootprint, after: EngineFootprint): Violation[] {
  const found: Violation[] = [];
  if (after.threads === 0 || after.threads > start.threads) {
    const detail = `${start.threads} in the engine at the start, ${after.threads} after`;
    found.push({ name: "threads left over", detail });
  }
  if (after.descriptors > start.descriptors + descriptorMargin) {
    const detail = `${start.descriptors} in the engine at the start, ${after.descriptors} after`;
    found.push({ name: "descriptors left over", detail });
  }
  if (after.memoryBytes > start.memoryBytes + engineMargin) {
    const detail = `${start.memoryBytes} bytes of the engine at the start, ${after.memoryBytes} after`;
    found.push({ name: "bytes left over", detail });
  }
  return found;
}

/** Ends the service by SIGTERM; what it did not do as it should. */
export async function checkEnd(world: World): Promise<Violation[]> {
  const pids = world.processes().map(({ pid }) => pid);
  world.terminate();
  const { code, signal } = await world.exited;
  const found: Violation[] = [];
  if (code !== 0) found.push({ name: "bad exit", detail: `status ${code}, signal ${signal}` });
  const endsAt = Date.now() + 5_000;
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false; // gone, as it should be
    }
  };
  while (pids.some(isAlive) && Date.now() < endsAt) await sleep(20);
  const left = pids.filter(isAlive);
  if (left.length > 0) found.push({ name: "processes left over", detail: left.join(", ") });
  return found;
}
