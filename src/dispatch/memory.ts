import { totalmem } from "node:os";
import { availableMemory, constrainedMemory } from "node:process";

// Reading it opens files of /proc and of the cgroup; runs come faster than memory changes.
const maxAgeMs = 100;

/** Makes a gauge of the share of memory in use, 0 to 1: the cgroup's where there is one, else the machine's. */
export function createMemoryGauge(now: () => number = () => performance.now()): () => number {
  let share = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - readAt >= maxAgeMs) {
      readAt = now();
      // 0 and numbers beyond the machine's both mean that no cgroup limits it.
      const limit = constrainedMemory();
      const total = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
      share = 1 - Math.min(availableMemory(), total) / total;
    }
    return share;
  };
}
