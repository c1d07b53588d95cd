import { totalmem } from "node:os";
import { availableMemory, constrainedMemory } from "node:process";

// Reading it opens files of /proc and of the cgroup; runs come faster than memory changes.
const maxAgeMs = 100;

/** Where a gauge reads. */
export interface MemoryGaugeOptions {
  /** Clock, milliseconds. */
  readonly now?: () => number;
  /** Share of memory in use, 0 to 1. Default: the cgroup's where there is one, else the machine's. */
  readonly read?: () => number;
}

/** Makes a gauge of the share of memory in use, 0 to 1, read at most ten times a second. */
export function createMemoryGauge({
  now = () => performance.now(),
  read = memoryShare,
}: MemoryGaugeOptions = {}): () => number {
  let share = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - readAt >= maxAgeMs) {
      readAt = now();
      share = read();
    }
    return share;
  };
}

function memoryShare(): number {
  // 0 and numbers beyond the machine's both mean that no cgroup limits it.
  const limit = constrainedMemory();
  const total = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return 1 - Math.min(availableMemory(), total) / total;
}
