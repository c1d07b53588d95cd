import { existsSync } from "node:fs";
import { open, readdir, readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Configuration that Node and its loader give up without, unless it is not there at all. */
const configuration = [
  "/etc/ld.so.cache",
  "/etc/ld-musl-x86_64.path",
  "/etc/ld-musl-aarch64.path",
  "/etc/ssl/openssl.cnf",
  "/usr/lib/ssl/openssl.cnf",
  "/usr/local/ssl/openssl.cnf",
  "/etc/pki/tls/openssl.cnf",
];

/** Files without which Node does not start. */
export interface NodeFiles {
  /** Node itself and the loader that the kernel starts it by. */
  readonly programs: readonly string[];
  /** Shared libraries, under every name that they are asked for by, and what finds them. */
  readonly readable: readonly string[];
}

/** Finds the files that a Node process of this kind needs, as this process has them mapped. */
export async function findNodeFiles(): Promise<NodeFiles> {
  const libraries = await mappedLibraries();
  const names = await Promise.all(libraries.map(namesOf));
  const loader = await loaderOf(process.execPath);
  return {
    programs: [process.execPath, ...loader],
    readable: await existing([...names.flat(), ...configuration, ...packageFiles()]),
  };
}

/** Where Node looks for the kind of our own modules; the nearest that exists is the one. */
function packageFiles(): string[] {
  const here = dirname(fileURLToPath(import.meta.url));
  const folders = here.split("/").map((_, depth, parts) => parts.slice(0, depth + 1).join("/"));
  const files = folders.map((folder) => `${folder}/package.json`);
  return files.filter((file) => existsSync(file)).slice(-1);
}

async function mappedLibraries(): Promise<string[]> {
  const maps = await readFile("/proc/self/maps", "utf8");
  const files = maps.split("\n").map((line) => line.split(/\s+/, 6)[5] ?? "");
  return [...new Set(files)].filter((path) => /^\/.*\.so(?:\.|$)/.test(path));
}

/** A library's own path and those of the symbolic links to it that stand beside it. */
async function namesOf(library: string): Promise<string[]> {
  const folder = dirname(library);
  const entries = await readdir(folder, { withFileTypes: true });
  const links = entries.filter((entry) => entry.isSymbolicLink() && entry.name.includes(".so"));
  const targets = await Promise.all(
    links.map(async ({ name }) => {
      const path = join(folder, name);
      const target = await realpath(path).catch(() => "");
      return target === library ? [path] : [];
    }),
  );
  return [library, ...targets.flat()];
}

/** The loader that an ELF file names (PT_INTERP); none for a static one. */
async function loaderOf(program: string): Promise<string[]> {
  await using file = await open(program);
  const head = Buffer.alloc(64 * 1024);
  await file.read(head, 0, head.length, 0);
  const [tableAt, entrySize, entries] = [
    Number(head.readBigUInt64LE(32)),
    head.readUInt16LE(54),
    head.readUInt16LE(56),
  ];
  for (let index = 0; index < entries; index += 1) {
    const at = tableAt + index * entrySize;
    const isLoader = head.readUInt32LE(at) === 3;
    if (!isLoader) continue;
    const start = Number(head.readBigUInt64LE(at + 8));
    const size = Number(head.readBigUInt64LE(at + 32));
    return [head.toString("utf8", start, start + size - 1)];
  }
  return [];
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map((path) =>
      realpath(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return found.flat();
}
