import { expect, it } from "vitest";
import { type GroupedProbe, type ProbeGroup, provenTier } from "../../../src/sandbox/isolation.ts";

const refused = (group: ProbeGroup): GroupedProbe => ({
  group,
  name: "x",
  refused: true,
  detail: "",
});
const granted = (group: ProbeGroup): GroupedProbe => ({ ...refused(group), refused: false });
const lock = [refused("files"), refused("kernel")];

it.each([
  ["nothing was tried", [], "T0"],
  ["half of a lock is whole", [refused("files"), granted("kernel")], "T1"],
  ["half of a lock was tried", [refused("kernel")], "T1"],
  ["both halves have a hole", [granted("files"), refused("files"), granted("kernel")], "T0"],
  ["a lock is whole", lock, "T2"],
  ["an engine is whole", [refused("engine")], "T2"],
  ["namespaces have a hole", [...lock, refused("namespaces"), granted("namespaces")], "T2"],
  ["namespaces stand where there is no lock", [granted("files"), refused("namespaces")], "T0"],
  ["namespaces stand beside a lock", [...lock, refused("namespaces")], "T3"],
  ["a lock stands around an engine", [...lock, refused("engine")], "T3"],
  ["an engine has a hole inside a lock", [...lock, granted("engine")], "T2"],
] as const)("when %s the tier is proven", (_title, probes, tier) => {
  expect(provenTier(probes)).toBe(tier);
});
