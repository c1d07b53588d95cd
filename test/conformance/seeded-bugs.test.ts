import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { run } from "../docs/support/run.ts";
import { noPython } from "../support/toolchain.ts";
import { seededBugs } from "./seeded/bugs.ts";

const vitest = ["node_modules/vitest/vitest.mjs", "run"];
const config = ["--config", "test/conformance/seeded/vitest.config.ts"];

/** What vitest's JSON reporter says of a test. */
const reportSchema = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.enum(["passed", "failed", "skipped", "pending", "todo", "disabled"]),
        }),
      ),
    }),
  ),
});

/** Titles of the tests of an engine with a bug that ended so. */
let titles: (engine: string, bug: string, status: "passed" | "failed") => readonly string[];

beforeAll(async () => {
  // One vitest for all bugs: much of the time is its start.
  const folder = mkdtempSync(join(tmpdir(), "codemode-seeded-"));
  using cleaning = new DisposableStack();
  cleaning.defer(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "report.json");
  const args = [...vitest, ...config, "--reporter=json", `--outputFile=${file}`];
  const { stderr, exitCode } = await run(process.execPath, args);
  expect(exitCode, stderr).toBe(1);
  const report = reportSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  titles = (engine, bug, status) =>
    tests
      .filter((test) => test.ancestorTitles[0] === engine && test.ancestorTitles[1] === bug)
      .filter((test) => test.status === status)
      .map(({ title }) => title);
}, 300_000);

describe("the suite", () => {
  it("is green without a bug", () => {
    expect(titles("calculator", "no bug", "failed")).toEqual([]);
    expect(titles("calculator", "no bug", "passed").length).toBeGreaterThan(60);
  });

  it.each(seededBugs)("is red where $name", ({ name, caughtBy }) => {
    expect(titles("calculator", name, "failed")).toContain(caughtBy);
  });

  describe.each(["quickjs", "cpython"])("of %s", (engine) => {
    const bugs = seededBugs.filter(({ isInEvery }) => isInEvery);
    it.skipIf(engine === "cpython" && noPython).each(bugs)(
      "is red where $name",
      ({ name, caughtBy }) => {
        expect(titles(engine, name, "failed")).toContain(caughtBy);
        // Red by the bug, not because nothing works.
        expect(titles(engine, name, "passed").length).toBeGreaterThan(0);
      },
    );
  });
});
