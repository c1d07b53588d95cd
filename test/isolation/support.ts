import { findWall } from "../../src/sandbox/wall/find.ts";
import type { Wall, WallLayer } from "../../src/sandbox/wall/wall.ts";
import { missing, noLock, startCpython } from "../support/toolchain.ts";

/** Why guests get no second wall here (T3); undefined where they do. */
export const noSecondWall =
  noLock ??
  (await missing("namespaces", async () => {
    await using executor = await startCpython({ requireTier: "T3", spareGuests: 1 });
    const { up, reason } = executor.info();
    if (!up) throw new Error(reason);
  }));

/** Kinds of walls by what makes them: a launcher in Python, or util-linux alone. */
export const walls: readonly { title: string; open: () => Promise<Wall> }[] = [
  { title: "the lock", open: () => openLocked(["landlock", "seccomp"]) },
  { title: "namespaces by the launcher", open: () => openLocked(["namespaces"]) },
  {
    title: "the lock in namespaces",
    open: () => openLocked(["landlock", "seccomp", "namespaces"]),
  },
  { title: "namespaces by util-linux", open: () => openAll(undefined, ["namespaces"]) },
];

function openLocked(layers: readonly WallLayer[]): Promise<Wall> {
  return openAll("python3", layers);
}

async function openAll(python: string | undefined, layers: readonly WallLayer[]): Promise<Wall> {
  const wall = await findWall({ python, layers });
  if (wall.layers.length < layers.length) throw new Error(wall.missing.join("; "));
  return wall;
}

/** Why not every kind of wall can be had here; undefined where they can. */
export const noWalls =
  noLock ?? (await missing("every wall", () => Promise.all(walls.map(({ open }) => open()))));

/** A signal that never aborts. */
export const never = new AbortController().signal;
