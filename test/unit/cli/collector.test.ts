import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("./fixtures/collections.ts", import.meta.url));

const MiB = 1024 * 1024;

interface Collections {
  readonly whole: number;
  readonly youngBytes: number;
}

/** What V8 does while buffers come and go, in a process of its own. */
async function collections(
  how: "usual" | "shortened",
  program: "busy" | "calm",
): Promise<Collections> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, how, program]);
  return JSON.parse(stdout) as Collections;
}

describe("collections of garbage, once shortened", () => {
  let usual: Collections;
  let shortened: Collections;

  beforeAll(async () => {
    usual = await collections("usual", "busy");
    shortened = await collections("shortened", "busy");
  });

  it("are of the whole heap less often while messages come and go", () => {
    expect(usual.whole).toBeGreaterThan(8);
    expect(shortened.whole).toBeLessThan(usual.whole * 0.75);
  });

  it("are of the whole heap hardly ever in a program that is calm", async () => {
    const [usually, now] = await Promise.all([
      collections("usual", "calm"),
      collections("shortened", "calm"),
    ]);
    expect(usually.whole).toBeGreaterThan(16);
    expect(now.whole).toBeLessThan(usually.whole / 16);
  });

  it("are of a few new objects at once, where V8 would make room for ever more", () => {
    expect(usual.youngBytes).toBeGreaterThan(32 * MiB);
    expect(shortened.youngBytes).toBeLessThanOrEqual(8 * MiB);
  });
});
