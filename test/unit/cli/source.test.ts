import { expect, it } from "vitest";
import { languageOf } from "../../../src/cli/source.ts";

it.each([
  ["plan.js", "javascript"],
  ["dir.ts/plan.mjs", "javascript"],
  ["plan.ts", "typescript"],
  ["plan.mts", "typescript"],
  ["plan.py", undefined],
  ["-", undefined],
  ["plan", undefined],
])("tells the language of %s by its ending", (file, language) => {
  expect(languageOf(file)).toBe(language);
});
