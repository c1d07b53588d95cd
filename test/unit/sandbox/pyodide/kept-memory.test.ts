import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepFiles } from "../../../../src/sandbox/pyodide/kept-files.ts";
import { openKeptMemory } from "../../../../src/sandbox/pyodide/kept-memory.ts";

let parent = "";
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "codemode-kept-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const image = Buffer.from("the memory of an interpreter");

/** Opens the memory of a name; gives what was read, and how often it had to be made. */
async function open({ name = "a", fails = false } = {}) {
  let made = 0;
  const directory = join(parent, "cache");
  const { path, offset } = await openKeptMemory({
    directory,
    name,
    make: async () => {
      made += 1;
      if (fails) throw new Error("it cannot be made");
      return image;
    },
  });
  return { path, made, bytes: readFileSync(path).subarray(offset) };
}

describe("a kept memory", () => {
  it("is made once, found from then on, and another one under another name", async () => {
    expect(await open()).toMatchObject({ made: 1, bytes: image });
    expect(await open()).toMatchObject({ made: 0, bytes: image });
    expect(await open({ name: "b" })).toMatchObject({ made: 1 });
  });

  it("can be read by everybody and written by nobody else", async () => {
    const { path } = await open();
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  it.each<[string, (path: string) => void]>([
    ["a byte of it has changed", (path) => writeFileSync(path, flipped(readFileSync(path)))],
    ["it is cut off", (path) => writeFileSync(path, readFileSync(path).subarray(0, -1))],
    ["it is empty", (path) => writeFileSync(path, "")],
    ["others may write to it", (path) => chmodSync(path, 0o666)],
    [
      "it is a link",
      (path) => {
        writeFileSync(`${path}.other`, readFileSync(path));
        rmSync(path);
        symlinkSync(`${path}.other`, path);
      },
    ],
  ])("is made anew when %s", async (_why, damage) => {
    const { path } = await open();
    damage(path);
    expect(await open()).toMatchObject({ made: 1, bytes: image });
    expect(await open()).toMatchObject({ made: 0 });
  });

  it("leaves nothing where it could not be made", async () => {
    await expect(open({ fails: true })).rejects.toThrow("it cannot be made");
    expect(readdirSync(join(parent, "cache"))).toEqual([]);
  });

  it("is refused in a directory to which others may write, or that is a link", async () => {
    const directory = join(parent, "cache");
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    await expect(open()).rejects.toThrow("is not this user's own");
    rmSync(directory, { recursive: true });
    symlinkSync(parent, directory);
    await expect(open()).rejects.toThrow("is not this user's own");
  });
});

describe("kept files", () => {
  it("are written where they are not as they must be, and left alone where they are", async () => {
    const files = new Map([["a.mjs", "1"]]);
    await keepFiles(parent, files);
    const { ino } = statSync(join(parent, "a.mjs"));
    await keepFiles(parent, files);
    expect(statSync(join(parent, "a.mjs")).ino).toBe(ino);
    writeFileSync(join(parent, "a.mjs"), "2");
    await keepFiles(parent, files);
    expect(readFileSync(join(parent, "a.mjs"), "utf8")).toBe("1");
    expect(readdirSync(parent)).toEqual(["a.mjs"]);
  });
});

function flipped(bytes: Buffer): Buffer {
  const last = bytes.length - 1;
  bytes.writeUInt8(bytes.readUInt8(last) ^ 1, last);
  return bytes;
}
