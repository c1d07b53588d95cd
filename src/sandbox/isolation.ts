import type { IsolationProbe, IsolationTier } from "../shared/model.ts";

/**
 * What must refuse a probe. `files` and `kernel` are the halves of the first wall around a process
 * (a lock, or whatever stands in its place); either alone has holes. `namespaces` are a wall of their own,
 * tried without the first; so is the `engine`, where programs do not run on the bare processor.
 */
export type ProbeGroup = "files" | "kernel" | "namespaces" | "engine";

/** A probe and what must refuse it. */
export interface GroupedProbe extends IsolationProbe {
  readonly group: ProbeGroup;
}

const order: readonly IsolationTier[] = ["T0", "T1", "T2", "T3"];

/** Whether `tier` is at least as strong as `required`. */
export function isAtLeast(tier: IsolationTier, required: IsolationTier): boolean {
  return order.indexOf(tier) >= order.indexOf(required);
}

/** Whether a group was tried, and refused everything. */
export function isWhole(group: ProbeGroup, probes: readonly GroupedProbe[]): boolean {
  const ofGroup = probes.filter((probe) => probe.group === group);
  return ofGroup.length > 0 && ofGroup.every((probe) => probe.refused);
}

/**
 * The tier that a set of probes proves: T3 for two whole walls, T2 for a whole lock or engine, T1 for
 * half a lock, else T0. Namespaces count beside a wall, not in its place.
 */
export function provenTier(probes: readonly GroupedProbe[]): IsolationTier {
  const [files, kernel, namespaces, engine] = (
    ["files", "kernel", "namespaces", "engine"] as const
  ).map((group) => isWhole(group, probes));
  const walls = [files && kernel, engine].filter(Boolean).length;
  if (walls === 2 || (walls === 1 && namespaces)) return "T3";
  if (walls === 1) return "T2";
  return files || kernel ? "T1" : "T0";
}
