import { readSync } from "node:fs";

const pageBytes = 4096;
const countBytes = 4;
const nothing = Buffer.alloc(64 * 1024);

/**
 * An image of WebAssembly memory: its size in pages (u32), a bit for each page that has anything in
 * it, and those pages. More than half of a fresh interpreter's pages are empty, and stay untouched in
 * every process that reads the image.
 */
export function toImage(memory: Uint8Array): readonly Uint8Array[] {
  const pages = memory.length / pageBytes;
  const head = Buffer.alloc(headBytes(pages));
  head.writeUInt32LE(pages, 0);
  const filled: Uint8Array[] = [];
  for (let page = 0; page < pages; page += 1) {
    const bytes = pageOf(memory, page);
    if (isEmpty(bytes)) continue;
    setBit(head.subarray(countBytes), page);
    filled.push(bytes);
  }
  return [head, ...filled];
}

/** Bytes of memory that the image at `offset` of a file stands for. */
export function memoryBytesOf(descriptor: number, offset: number): number {
  const count = Buffer.alloc(countBytes);
  readExactly(descriptor, count, offset);
  return count.readUInt32LE(0) * pageBytes;
}

/** Reads an image into memory of its size, which may have something in it already. */
export function readImage(descriptor: number, offset: number, memory: Uint8Array): void {
  const pages = memory.length / pageBytes;
  const head = Buffer.alloc(headBytes(pages));
  readExactly(descriptor, head, offset);
  const bits = head.subarray(countBytes);
  let at = offset + head.length;
  for (let page = 0; page < pages; ) {
    const start = page;
    const isFilled = hasBit(bits, page);
    while (page < pages && hasBit(bits, page) === isFilled) page += 1;
    const run = memory.subarray(start * pageBytes, page * pageBytes);
    if (isFilled) {
      readExactly(descriptor, run, at);
      at += run.length;
    } else if (!isEmpty(run)) {
      run.fill(0); // written only where it must be: an untouched page costs nothing
    }
  }
}

function headBytes(pages: number): number {
  return countBytes + Math.ceil(pages / 8);
}

function pageOf(memory: Uint8Array, page: number): Uint8Array {
  return memory.subarray(page * pageBytes, (page + 1) * pageBytes);
}

function isEmpty(bytes: Uint8Array): boolean {
  for (let start = 0; start < bytes.length; start += nothing.length) {
    const part = bytes.subarray(start, start + nothing.length);
    if (Buffer.compare(part, nothing.subarray(0, part.length)) !== 0) return false;
  }
  return true;
}

function hasBit(bits: Uint8Array, index: number): boolean {
  return (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

function setBit(bits: Uint8Array, index: number): void {
  bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
}

function readExactly(descriptor: number, target: Uint8Array, offset: number): void {
  for (let done = 0; done < target.length; ) {
    const count = readSync(descriptor, target, done, target.length - done, offset + done);
    if (count === 0) throw new Error("the kept memory is cut off");
    done += count;
  }
}
