import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";

const bytesPerRun = 16 * 1024 * 1024;
const share = 0.8;
const most = 1_000;

/** Executions that memory holds at once, most of them waiting; beyond 1,000 the service's own loop is the bound. */
export function slotsFor(memoryBytes: number): number {
  return Math.max(1, Math.min(most, Math.floor((memoryBytes * share) / bytesPerRun)));
}

/** Memory that this process may use, bytes: the cgroup's where there is one, else the machine's. */
export function usableMemory(): number {
  const constrained = constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
