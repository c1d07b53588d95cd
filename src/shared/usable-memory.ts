import { totalmem } from "node:os";
import { constrainedMemory } from "node:process";

/** Memory that this process may use, bytes: the cgroup's where there is one, else the machine's. */
export function usableMemory(): number {
  // 0 and numbers beyond the machine's both mean that no cgroup limits it.
  const constrained = constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
