import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { descendants, hasProc } from "../support/processes.ts";
import { collect, jsonOf } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

const language = "typescript";

/** Names of the threads that hold programs. */
function threads(): string[] {
  const names = descendants().flatMap(({ pid }) =>
    readdirSync(`/proc/${pid}/task`).map((id) =>
      readFileSync(`/proc/${pid}/task/${id}/comm`, "utf8").trimEnd(),
    ),
  );
  return names.filter((name) => name.startsWith("guests-"));
}

// Its parser has no limit of memory of its own, and takes most for errors in a long line.
describe("the parser of TypeScript", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  it.each([
    ["errors in one line", "1;\n", "a:a:a:a:a:;".repeat(4_000), 2],
    ["what it does not strip in one line", "", "enum A{B}".repeat(4_000), 1],
  ])(
    "is not given a program with so many of %s that it might take all memory",
    async (_of, before, code, line) => {
      const { result, usage } = await collect(executor, before + code, { language });
      expect(result).toMatchObject({
        error: { reason: "syntax", line, message: expect.stringContaining("a line is too long") },
      });
      expect(usage.cpuMs).toBeLessThan(1_000);
    },
  );

  it.skipIf(!hasProc)("costs no thread where it is given nothing", async () => {
    await jsonOf(executor, "1", { language });
    const before = threads();
    for (let count = 0; count < 4; count += 1) {
      await collect(executor, "a:a:a:a:a:;".repeat(4_000), { language });
    }
    expect(before).not.toEqual([]);
    expect(threads()).toEqual(expect.arrayContaining(before));
  });

  it("is given what is long in lines as people write them", async () => {
    const lines = Array.from({ length: 25_000 }, (_, n) => `const name${n}: number = ${n};`);
    const code = `${lines.join("\n")}\nreturn name24999;`;
    expect(await jsonOf(executor, code, { language })).toBe(24_999);
    expect(await jsonOf(executor, `return [${"1,".repeat(5_000)}].length;`, { language })).toBe(
      5000,
    );
  });

  it.each([`"`, "'", "`"])(
    "is given a line with long texts in %s, whatever is in them",
    async (quote) => {
      const other = quote === `"` ? "'" : `"`;
      const text = `it${other}s ${"é,: {}\\n".repeat(20_000)}`;
      const type = ": [string, number]";
      const after = ` = [${quote}${text}${quote}, 1]; throw new Error(String(text.length + size));`;
      const { result } = await collect(executor, `1;\nconst [text, size]${type}${after}`, {
        language,
      });
      expect(result).toMatchObject({ error: { message: String(5 + 7 * 20_000 + 1), line: 2 } });
      // Every place is where it was.
      const blank = " ".repeat(type.length);
      const same = await collect(executor, `1;\nconst [text, size]${blank}${after}`, {
        language: "javascript",
      });
      expect(result).toEqual(same.result);
    },
  );

  it("puts texts in for no marks but its own", async () => {
    const long = "x".repeat(100);
    const code = `const texts: string[] = ["${long}", "\uE0000\uE000"]; return texts.join("").length;`;
    expect(await jsonOf(executor, code, { language })).toBe(103);
  });
});

describe("a first line that names an interpreter", () => {
  it.each([
    ["javascript", "#!/usr/bin/env node\nconst one = 1;\nreturn one + 1;"],
    ["typescript", "#!/usr/bin/env node\nconst one: number = 1;\nreturn one + 1;"],
    ["typescript", "#!/usr/bin/env node\nenum Two { Is = 2 }\nreturn Two.Is;"],
    ["javascript", "#!/usr/bin/env node\n2"],
  ])("is a comment in %s: %j", async (language, code) => {
    await using executor = await startQuickjs();
    expect(await jsonOf(executor, code, { language })).toBe(2);
  });
});
