import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./support/blocks.ts";
import { promises, testsOf } from "./support/promises.ts";

const named = promises.flatMap(([promise = "", cell = ""]) => testsOf(promise, cell));

describe("the promises of docs/reliability.md", () => {
  it.each(promises)("name a test: %s", (promise, cell = "") => {
    const tests = testsOf(promise, cell);
    expect(tests).not.toEqual([]);
    // Whatever is left over is a title that nobody looked up.
    const told = [...cell.matchAll(/"/g)].length / 2;
    expect(tests).toHaveLength(told);
  });

  it.each(named)("are held by a test that is there: $file, $title", ({ file, title }) => {
    expect(file).toMatch(/^test\/.*\.(?:test|suite)\.ts$/);
    expect(existsSync(join(root, file))).toBe(true);
    const source = readFileSync(join(root, file), "utf8");
    expect(titlesOf(source)).toContain(title);
  });
});

/** All texts that a test file could have as titles: whole, and where they have values in them in parts. */
function titlesOf(source: string): Set<string> {
  const texts = [...source.matchAll(/(?<![\\\w])(["'`])((?:\\.|(?!\1).)*)\1/g)];
  return new Set(
    texts.flatMap(([, , text = ""]) => [
      text,
      ...text.split(/\$\{[^}]*\}/).map((part) => part.trim()),
    ]),
  );
}
