import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { chmod, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";

const othersWrite = 0o022;

/** Makes a directory where it is not there; rejects when it is not this user's own, to write to alone. */
export async function checkDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const stats = await lstat(directory);
  if (stats.isDirectory() && isOurs(stats)) return;
  throw new Error(`the cache directory ${directory} is not this user's own`);
}

/** What a file holds; undefined when it is not there or is not this user's own, to write to alone. */
export async function readKept(path: string): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const stats = await file.stat();
    return stats.isFile() && isOurs(stats) ? await file.readFile() : undefined;
  } catch {
    return undefined; // not there, or a link: it will be replaced
  }
}

/** Writes a file in one step, so that nobody sees half of it; everybody may read it. */
export async function writeKept(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await using file = await open(draft, "wx", 0o644);
    await file.writeFile(bytes);
    await file.sync();
    // Whatever the umask: guests of a root service have user ids of their own, and nothing here is secret.
    await chmod(draft, 0o644);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Sees to it that a directory has these files with this content. */
export async function keepFiles(
  directory: string,
  files: ReadonlyMap<string, string>,
): Promise<void> {
  await checkDirectory(directory);
  for (const [name, text] of files) {
    const path = join(directory, name);
    const bytes = Buffer.from(text);
    if ((await readKept(path))?.equals(bytes) !== true) await writeKept(path, bytes);
  }
}

function isOurs({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  return uid === process.getuid?.() && (mode & othersWrite) === 0;
}
