// Takes away, one after the other, the code that keeps the promises of docs/reliability.md, and tells
// whether the test that holds each promise turns red. Works on a copy of the tree.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { root } from "../docs/support/blocks.ts";
import { type Mutation, mutate } from "./mutation.ts";
import { mutations } from "./mutations.ts";

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const left = ["node_modules", "dist", ".git"];
// A fault may show as a program that does not end.
const patienceMs = 300_000;

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(z.object({ title: z.string(), status: z.string() })),
    }),
  ),
});

type Verdict = "red" | "GREEN" | "NOT RUN" | "NO END";

const copy = mkdtempSync(join(tmpdir(), "codemode-mutations-"));
let unnoticed = 0;
try {
  cpSync(root, copy, {
    recursive: true,
    filter: (path) => !left.some((name) => path === join(root, name)),
  });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const wanted = mutations.filter(({ without, file }) =>
    `${without} ${file}`.includes(values.only),
  );
  for (const mutation of wanted) {
    const verdict = verdictOf(mutation);
    if (verdict !== "red") unnoticed += 1;
    console.log(`${verdict.padEnd(8)} without ${mutation.without}: "${mutation.red}"`);
  }
  console.log(`${wanted.length} mutations, ${unnoticed} unnoticed`);
} finally {
  rmSync(copy, { recursive: true });
}
process.exitCode = unnoticed === 0 ? 0 : 1;

function verdictOf(mutation: Mutation): Verdict {
  using _ = mutate(mutation, copy);
  const report = join(copy, "report.json");
  rmSync(report, { force: true });
  const pattern = patternOf(mutation.red);
  spawnSync(
    process.execPath,
    [
      join(copy, "node_modules/vitest/vitest.mjs"),
      "run",
      mutation.test,
      ...["-t", pattern],
      ...["--reporter", "json", "--outputFile", report],
    ],
    { cwd: copy, stdio: "ignore", timeout: patienceMs, killSignal: "SIGKILL" },
  );
  const statuses = statusesOf(report, new RegExp(pattern));
  if (statuses === undefined) return "NO END";
  if (statuses.includes("failed")) return "red";
  return statuses.includes("passed") ? "GREEN" : "NOT RUN";
}

/** What became of the tests of a title; undefined where the run did not come to its end. */
function statusesOf(report: string, title: RegExp): string[] | undefined {
  let text: string;
  try {
    text = readFileSync(report, "utf8");
  } catch {
    return undefined;
  }
  return reportSchema
    .parse(JSON.parse(text))
    .testResults.flatMap(({ assertionResults }) => assertionResults)
    .flatMap((one) => (title.test(one.title) ? one.status : []));
}

/** A title as a pattern: its values are not known. */
function patternOf(title: string): string {
  return title
    .split(/%[a-z]/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
}
