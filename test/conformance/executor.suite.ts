import type { Executor } from "../../src/executors/executor.ts";
import type { Programs } from "./programs/programs.ts";
import { describeBetweenRuns } from "./suite/between-runs.ts";
import { describeEnds } from "./suite/ends.ts";
import { describeLeftovers } from "./suite/leftovers.ts";
import { describeLifetime } from "./suite/lifetime.ts";
import { describeMemory } from "./suite/memory.ts";
import { describeNeighbours } from "./suite/neighbours.ts";
import { describeOutcomes } from "./suite/outcomes.ts";
import { describeOutput } from "./suite/output.ts";
import { type EngineTraits, type Subject, setUpSubject } from "./suite/subject.ts";
import { describeToolValues } from "./suite/tool-values.ts";
import { describeTools } from "./suite/tools.ts";

export type { EngineTraits } from "./suite/subject.ts";

/** The subjects of the suite, in the order in which they are tested. */
export const subjects = {
  // First: what other tests leave in pools and caches would hide what is left behind.
  leftovers: describeLeftovers,
  outcomes: describeOutcomes,
  output: describeOutput,
  ends: describeEnds,
  memory: describeMemory,
  betweenRuns: describeBetweenRuns,
  neighbours: describeNeighbours,
  tools: describeTools,
  toolValues: describeToolValues,
  lifetime: describeLifetime,
} as const satisfies Record<string, (subject: Subject) => void>;

/** The behaviour that every engine has. What an engine or its language lacks is skipped, with the reason. */
export function executorSuite(
  create: () => Promise<Executor>,
  programs: Programs,
  traits: EngineTraits = {},
): void {
  const subject = setUpSubject(create, programs, traits);
  // Beside the note of each skipped test, which not every reporter shows.
  const missing = Object.entries({ ...programs.lacks, ...traits.lacks });
  const reasons = missing.map(([name, reason]) => `no ${name}: ${reason}`);
  if (traits.repeats !== undefined) reasons.push(`fewer repeats: ${traits.repeats.why}`);
  if (reasons.length > 0) console.info(`not run in ${programs.language}: ${reasons.join("; ")}`);
  for (const describeSubject of Object.values(subjects)) describeSubject(subject);
}
