import { findPython } from "../cpython/python.ts";
import { lockedWall } from "./locked-wall.ts";
import { hasDeathSignal, mortal } from "./mortal.ts";
import { namespaceWall } from "./namespace-wall.ts";
import { findNodeFiles } from "./node-files.ts";
import { startWalled } from "./start.ts";
import type { Wall, WallLayer } from "./wall.ts";

const allLayers: readonly WallLayer[] = ["landlock", "seccomp", "namespaces"];

/** Options of `findWall`. */
export interface FindWallOptions {
  /** Command or path of a python3, which starts the lock; without one only namespaces can be had. */
  readonly python: string | undefined;
  /** Layers to try; all by default. */
  readonly layers?: readonly WallLayer[] | undefined;
}

/** Finds the strongest wall that this machine gives to a Node process, by trying. Never rejects. */
export async function findWall(options: FindWallOptions): Promise<Wall> {
  const { python, layers = allLayers } = options;
  const missing: string[] = [];
  try {
    const files = await findNodeFiles();
    try {
      const { path } = await findPython(python ?? "");
      return await lockedWall(path, files, layers);
    } catch (error) {
      const why = python === undefined ? "no python3 is configured" : reasonOf(error);
      missing.push(`landlock (${why})`, `seccomp (${why})`);
    }
    if (layers.includes("namespaces")) return { ...(await namespaceWall(files)), missing };
  } catch (error) {
    const known = missing.join();
    const others = layers.filter((layer) => !known.includes(layer));
    missing.push(...others.map((layer) => `${layer} (${reasonOf(error)})`));
  }
  const canBeMortal = await hasDeathSignal();
  return {
    layers: [],
    missing,
    start({ args }) {
      const command = [process.execPath, ...args] as const;
      return startWalled(canBeMortal ? mortal(command) : command);
    },
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
