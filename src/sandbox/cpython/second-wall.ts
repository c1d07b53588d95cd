import type { GroupedProbe } from "../isolation.ts";
import type { Brood } from "./brood.ts";
import { probeNamespaces } from "./probes.ts";

/** The second wall went up and does not work: the zygote behind it is of no use. */
export class SecondWallFault extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "SecondWallFault";
  }
}

/** Options of `addSecondWall`. */
export interface SecondWallOptions {
  /** Path of the interpreter that the brood runs. */
  readonly python: string;
  /** Why it is not wanted; undefined where it is. */
  readonly unwanted: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Moves a brood into namespaces of its own and proves them, without the lock. Gives the probes, or the
 * one that says why there is no such wall. Rejects with a SecondWallFault when the brood cannot be used.
 */
export async function addSecondWall(
  brood: Brood,
  { python, unwanted, signal }: SecondWallOptions,
): Promise<readonly GroupedProbe[]> {
  const refused = unwanted ?? (await brood.enterNamespaces(signal));
  if (refused !== undefined) {
    const name = "stay in the namespaces of the host";
    return [{ group: "namespaces", name, refused: false, detail: refused }];
  }
  try {
    const lease = (leaseSignal: AbortSignal) => brood.leaseForProbes("bare", leaseSignal);
    const probes = await probeNamespaces(lease, { python, signal });
    return probes.map((probe) => ({ ...probe, name: `without the lock: ${probe.name}` }));
  } catch (error) {
    signal.throwIfAborted();
    throw new SecondWallFault(error);
  }
}
