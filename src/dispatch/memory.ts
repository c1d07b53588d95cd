import { availableMemory } from "node:process";
import { usableMemory } from "../shared/usable-memory.ts";

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
  const total = usableMemory();
  return 1 - Math.min(availableMemory(), total) / total;
}
