import { setTimeout as sleep } from "node:timers/promises";
import type { Violation } from "./check.ts";
import { tenants } from "./plan.ts";
import type { World } from "./world.ts";

/** What the service holds when nothing runs and nothing is kept. */
export interface Footprint {
  readonly processes: readonly string[];
  readonly descriptors: number;
  readonly heapBytes: number;
}

const MiB = 1024 * 1024;
// The same as the soak test's: compiled code and the shapes of objects that a first run did not need.
const heapMargin = 16 * MiB;
// A request id is remembered for an hour, in some 700 bytes with a small outcome (server/slots.ts).
const bytesPerRequest = 1_024;
// Connections of the SDK's and of the tool service's that are about to close.
const descriptorMargin = 3;
const patienceMs = 60_000;

/** Waits until nothing runs and no log is kept any more, then measures. */
export async function settle(world: World): Promise<Footprint> {
  const endsAt = Date.now() + patienceMs;
  const until = async (what: string, isThere: () => Promise<boolean>) => {
    while (!(await isThere())) {
      if (Date.now() > endsAt) throw new Error(`never ${what}`);
      await sleep(50);
    }
  };
  await until("without executions", async () => (await known(world)) === 0);
  const isAtRest = async () => world.processes().length === world.restingProcesses;
  // What is too many stays: the comparison tells of it.
  await until("at rest", isAtRest).catch(() => {});
  const heapBytes = await world.heapBytes();
  const processes = world.processes().map(({ pid, name }) => `${name} ${pid}`);
  return { processes, descriptors: await world.descriptors(), heapBytes };
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
