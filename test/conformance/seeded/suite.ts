// Run by seeded-bugs.test.ts in a vitest of its own: red is what it is for.
import { describe } from "vitest";
import { createCalculator } from "../../../examples/calculator-engine/engine.ts";
import type { Executor } from "../../../src/executors/executor.ts";
import { startQuickjs } from "../../support/quickjs.ts";
import { noPython, startCpython } from "../../support/toolchain.ts";
import { type EngineTraits, executorSuite, subjects } from "../executor.suite.ts";
import { calculator } from "../programs/calculator.ts";
import { javascript } from "../programs/javascript.ts";
import type { Programs } from "../programs/programs.ts";
import { python } from "../programs/python.ts";
import { setUpSubject } from "../suite/subject.ts";
import { seededBugs } from "./bugs.ts";
import { spoil } from "./spoil.ts";

const traits: EngineTraits = {
  lacks: { "tool argument checks": "the calculator leaves them to the host" },
  runs: { count: 60, why: "a bug shows sooner" },
  settlesWithinMs: 1_000,
};

describe("calculator", () => {
  describe("no bug", () => {
    executorSuite(async () => spoil(createCalculator(), {}), calculator, traits);
  });
  plantBugs(
    async () => createCalculator(),
    calculator,
    () => true,
  );
});

describe("quickjs", () => {
  plantBugs(startQuickjs, javascript, ({ isInEvery }) => isInEvery === true);
});

describe.skipIf(noPython)("cpython", () => {
  plantBugs(startCpython, python, ({ isInEvery }) => isInEvery === true);
});

/** The part of the suite that is to find a bug, for each of these bugs. */
function plantBugs(
  create: () => Promise<Executor>,
  programs: Programs,
  isPlanted: (bug: (typeof seededBugs)[number]) => boolean,
): void {
  for (const { name, subject, plant } of seededBugs.filter(isPlanted)) {
    describe(name, () => {
      subjects[subject](setUpSubject(async () => plant(await create()), programs, traits));
    });
  }
}
