import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { rootSteps } from "../../src/sandbox/wall/root-steps.ts";

let at: string;
beforeAll(() => {
  at = realpathSync(mkdtempSync(join(tmpdir(), "codemode-test-")));
  mkdirSync(join(at, "real/deep"), { recursive: true });
  writeFileSync(join(at, "real/file"), "");
  symlinkSync("real", join(at, "alias"));
  symlinkSync(join(at, "alias/file"), join(at, "absolute"));
  symlinkSync("loop", join(at, "loop"));
});
afterAll(() => rmSync(at, { recursive: true }));

/** The steps as lists of words, without the options of mounts. */
const stepsOf = (...names: string[]) => {
  const words = [...rootSteps(names.map((name) => join(at, name)))];
  const steps: string[][] = [];
  while (words.length > 0) {
    const step = words.splice(0, words[0] === "link" || words[0] === "protect" ? 3 : 2);
    if (step[0] !== "protect") steps.push(step.map((word) => word.replace(`${at}/`, "")));
  }
  return steps;
};

it("keeps every symbolic link on the way to a file", () => {
  expect(stepsOf("alias/file")).toEqual([
    ["link", "alias", "real"],
    ["file", "real/file"],
  ]);
  expect(stepsOf("absolute")).toEqual([
    ["link", "absolute", "alias/file"],
    ["link", "alias", "real"],
    ["file", "real/file"],
  ]);
});

it("names nothing twice that comes with its directory", () => {
  expect(stepsOf("real", "real/file", "alias/deep")).toEqual([
    ["link", "alias", "real"],
    ["folder", "real"],
  ]);
});

it("protects every mount, and leaves what is not there to fail where it is used", () => {
  const steps = rootSteps([join(at, "real/file"), join(at, "nothing")]);
  expect(steps.filter((word) => word === "protect")).toHaveLength(2);
  expect(steps.join(" ")).toMatch(/protect \S+real\/file ro,nosuid,nodev/);
});

it("gives up a chain of links that has no end", () => {
  expect(() => stepsOf("loop")).toThrow("too many symbolic links");
});
