import type { IsolationProbe, IsolationTier } from "../shared/model.ts";

/** The two halves of a wall; either alone has holes. */
export type ProbeGroup = "files" | "kernel";

/** A probe and the half of the wall that must refuse it. */
export interface GroupedProbe extends IsolationProbe {
  readonly group: ProbeGroup;
}

const order: readonly IsolationTier[] = ["T0", "T1", "T2", "T3"];

/** Whether `tier` is at least as strong as `required`. */
export function isAtLeast(tier: IsolationTier, required: IsolationTier): boolean {
  return order.indexOf(tier) >= order.indexOf(required);
}

/** The tier that a set of probes proves: T2 when all were refused, T1 when one whole half was, else T0. */
export function provenTier(probes: readonly GroupedProbe[]): IsolationTier {
  if (probes.length === 0) return "T0";
  const isWhole = (group: ProbeGroup) => {
    const ofGroup = probes.filter((probe) => probe.group === group);
    return ofGroup.length > 0 && ofGroup.every((probe) => probe.refused);
  };
  const whole = [isWhole("files"), isWhole("kernel")].filter(Boolean).length;
  return whole === 2 ? "T2" : whole === 1 ? "T1" : "T0";
}
