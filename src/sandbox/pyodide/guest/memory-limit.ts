import { type EmscriptenModule, errnos, type FileNode, type FileSystem } from "./emscripten.ts";

const pageBytes = 64 * 1024;
const growth = 1.2;

/**
 * The memory that a program has beyond a fresh interpreter: WebAssembly memory and the files in memory,
 * which lie outside of it, together.
 */
export class MemoryLimit {
  readonly #module: EmscriptenModule;
  #freshBytes = 0;
  #limitBytes = Number.POSITIVE_INFINITY;
  /** What files hold, at most: counted anew when it seems to be too much. */
  #fileBytes = 0;

  constructor(module: EmscriptenModule) {
    this.#module = module;
    this.#watchFiles(module.FS);
  }

  /** From now on the program may have so many bytes more than it has now. */
  set(limitBytes: number): void {
    this.#freshBytes = this.#heapBytes() + countFiles(this.#module.FS);
    this.#limitBytes = limitBytes;
    this.#fileBytes = countFiles(this.#module.FS);
  }

  /** Grows WebAssembly memory to at least `bytes`, somewhat more where there is room; whether it could. */
  grow(bytes: number): boolean {
    if (this.#left(bytes) < 0) this.#recount();
    const left = this.#left(bytes);
    if (left < 0) return false;
    const wished = Math.max(bytes, this.#heapBytes() * growth);
    const size = Math.min(wished, bytes + left);
    return this.#module.growMemory(Math.ceil(size / pageBytes) * pageBytes) === 1;
  }

  #left(heapBytes: number): number {
    return this.#freshBytes + this.#limitBytes - heapBytes - this.#fileBytes;
  }

  #heapBytes(): number {
    return this.#module.HEAP8.length;
  }

  #recount(): void {
    this.#fileBytes = countFiles(this.#module.FS);
  }

  #watchFiles(FS: FileSystem): void {
    const { node, stream } = FS.filesystems.MEMFS.ops_table.file;
    const { setattr } = node;
    const { write } = stream;
    node.setattr = (file, attributes) => {
      if (attributes.size !== undefined) this.#reserve(file, attributes.size);
      setattr(file, attributes);
    };
    stream.write = (open, memory, offset, length, position, canOwn) => {
      this.#reserve(open.node, position + length);
      return write(open, memory, offset, length, position, canOwn);
    };
  }

  /** Counts what a file that is to hold `bytes` will take; ENOSPC when that is too much. */
  #reserve(file: FileNode, bytes: number): void {
    const held = sizeOf(file);
    if (bytes <= held) return;
    // MEMFS makes small files twice as large, larger ones by an eighth.
    const more = Math.max(bytes, held * 2, 256);
    if (this.#left(this.#heapBytes()) < more) this.#recount();
    if (this.#left(this.#heapBytes()) < more) throw new this.#module.FS.ErrnoError(errnos.noSpace);
    this.#fileBytes += more;
  }
}

/** Bytes of all files that can still be reached, by name or by descriptor. */
function countFiles(FS: FileSystem): number {
  const files = new Set<FileNode>();
  for (let node of FS.nameTable) {
    for (; node !== undefined && node !== null; node = node.name_next as typeof node)
      files.add(node);
  }
  for (const stream of FS.streams) if (stream?.node !== undefined) files.add(stream.node);
  let bytes = 0;
  for (const file of files) bytes += sizeOf(file);
  return bytes;
}

// What is written into an empty file at once stays the kind of array that it came in.
function sizeOf({ contents }: FileNode): number {
  return ArrayBuffer.isView(contents) ? contents.byteLength : 0;
}
