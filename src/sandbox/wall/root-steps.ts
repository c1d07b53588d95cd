import { lstatSync, readlinkSync } from "node:fs";
import { isWithin, mountsOf, readMounts } from "./mounts.ts";

const mostLinks = 40;

/** The steps of namespaces.sh that make a root of `paths`, each at its own place. */
export function rootSteps(paths: readonly string[]): readonly string[] {
  const links = new Map<string, string>();
  const places = new Map<string, "folder" | "file">();
  for (const path of paths) follow(path, links, places);
  const mounts = readMounts();
  const folders = [...places].filter(([, kind]) => kind === "folder").map(([path]) => path);
  const comesAlong = (path: string) =>
    folders.some((folder) => folder !== path && isWithin(path, folder));
  return [
    ...[...links].flatMap(([path, to]) => (comesAlong(path) ? [] : ["link", path, to])),
    ...[...places].flatMap(([path, kind]) => {
      if (comesAlong(path)) return [];
      const protections = mountsOf(path, mounts).flatMap(({ path: at, options }) => {
        const all = new Set(["ro", "nosuid", "nodev", ...options]);
        return ["protect", at, [...all].join(",")];
      });
      return [kind, path, ...protections];
    }),
  ];
}

/** Goes along a path: notes the symbolic links on the way, and what is at its end; nothing there is a file. */
function follow(
  path: string,
  links: Map<string, string>,
  places: Map<string, "folder" | "file">,
): void {
  let pending = partsOf(path);
  let here = "";
  let count = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === "..") {
      here = here.slice(0, Math.max(0, here.lastIndexOf("/")));
      continue;
    }
    const there = `${here}/${part}`;
    const stats = lstatSync(there, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink()) {
      count += 1;
      if (count > mostLinks) throw new Error(`too many symbolic links at ${path}`);
      const target = readlinkSync(there);
      links.set(there, target);
      if (target.startsWith("/")) here = "";
      pending = [...partsOf(target), ...pending];
      continue;
    }
    here = there;
    if (pending.length === 0) places.set(here, stats?.isDirectory() ? "folder" : "file");
  }
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
