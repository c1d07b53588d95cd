import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryBytesOf, readImage, toImage } from "../../../../src/sandbox/pyodide/guest/image.ts";

const page = 4096;
let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "codemode-image-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Writes an image behind something else in a file; gives the file's descriptor and the image's place. */
function kept(memory: Uint8Array, cutBytes = 0) {
  const path = join(directory, "image");
  const bytes = Buffer.concat([Buffer.from("head"), ...toImage(memory)]);
  writeFileSync(path, bytes.subarray(0, bytes.length - cutBytes));
  const descriptor = openSync(path, "r");
  return { descriptor, offset: 4, bytes, [Symbol.dispose]: () => closeSync(descriptor) };
}

function memoryOf(pages: number, ...filled: readonly number[]): Uint8Array {
  const memory = new Uint8Array(pages * page);
  for (const at of filled) memory.fill(at + 1, at * page, (at + 1) * page);
  return memory;
}

describe("an image of memory", () => {
  it.each([
    ["nothing in it", memoryOf(5)],
    ["every page filled", memoryOf(3, 0, 1, 2)],
    ["pages here and there", memoryOf(40, 0, 3, 4, 17, 39)],
    ["one byte at its very end", memoryOf(9).fill(1, 9 * page - 1)],
  ])("gives back memory with %s, whatever was there before", (_what, memory) => {
    using image = kept(memory);
    expect(memoryBytesOf(image.descriptor, image.offset)).toBe(memory.length);
    for (const before of [0, 7]) {
      const target = new Uint8Array(memory.length).fill(before);
      readImage(image.descriptor, image.offset, target);
      expect(Buffer.compare(target, memory)).toBe(0);
    }
  });

  it("holds filled pages only", () => {
    using image = kept(memoryOf(1000, 5, 500));
    expect(image.bytes.length).toBeLessThan(3 * page);
  });

  it("that is cut off is an error", () => {
    using image = kept(memoryOf(4, 3), 1);
    expect(() => readImage(image.descriptor, image.offset, memoryOf(4))).toThrow("is cut off");
  });
});
