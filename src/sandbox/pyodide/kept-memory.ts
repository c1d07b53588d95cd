import { createHash } from "node:crypto";
import { join } from "node:path";
import { checkDirectory, readKept, writeKept } from "./kept-files.ts";

const magic = Buffer.from("CMMEMRY1");
const digestBytes = 32;
const imageOffset = magic.length + digestBytes;

/** Options of `openKeptMemory`. */
export interface KeptMemoryOptions {
  /** Made when it is not there; only trusted when it is ours and nobody else may write to it. */
  readonly directory: string;
  /** Of what the memory was made: another name, another memory. */
  readonly name: string;
  /** Makes the image where there is none that can be trusted. */
  readonly make: () => Promise<Buffer>;
}

/** A file with an image of memory, checked and ready to be read. */
export interface KeptMemoryFile {
  readonly path: string;
  /** Where the image begins. */
  readonly offset: number;
}

/**
 * The kept memory of a name: found, or made and written in one step. One that is damaged, or that is
 * not ours, is made anew. Rejects where the directory is not ours.
 */
export async function openKeptMemory(options: KeptMemoryOptions): Promise<KeptMemoryFile> {
  const { directory, name, make } = options;
  await checkDirectory(directory);
  const path = join(directory, `${name}.memory`);
  const kept = await readKept(path);
  if (kept === undefined || !isWhole(kept)) {
    const image = await make();
    await writeKept(path, Buffer.concat([magic, digestOf(image), image]));
  }
  return { path, offset: imageOffset };
}

function isWhole(bytes: Buffer): boolean {
  const hasMagic = bytes.subarray(0, magic.length).equals(magic);
  const digest = bytes.subarray(magic.length, imageOffset);
  return hasMagic && digestOf(bytes.subarray(imageOffset)).equals(digest);
}

function digestOf(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
