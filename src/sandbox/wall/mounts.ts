import { readFileSync } from "node:fs";

/** A mount of this process's file system. */
export interface Mount {
  readonly path: string;
  /** Options that a namespace's own copy of it must keep. */
  readonly options: readonly string[];
}

const kept = new Set(["nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"]);

/** All mounts, in the order in which they were made. */
export function readMounts(): readonly Mount[] {
  const text = readFileSync("/proc/self/mountinfo", "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, , , , path = "", options = ""] = line.split(" ");
      return {
        path: path.replace(/\\(\d{3})/g, (_, code) =>
          String.fromCharCode(Number.parseInt(code, 8)),
        ),
        options: options.split(",").filter((option) => kept.has(option)),
      };
    });
}

/** Whether `path` is `folder` or below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/** The mounts that a directory tree consists of: the one that it lies in, and those below it. */
export function mountsOf(path: string, mounts: readonly Mount[]): readonly Mount[] {
  const above = mounts.filter((mount) => isWithin(path, mount.path));
  const nearest = above.reduce<Mount | undefined>(
    (best, mount) => (best !== undefined && best.path.length > mount.path.length ? best : mount),
    undefined,
  );
  const below = mounts.filter((mount) => mount.path !== path && isWithin(mount.path, path));
  return nearest === undefined ? below : [{ path, options: nearest.options }, ...below];
}
