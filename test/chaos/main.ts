// npm run chaos -- --seconds 60 --seed 1 [--trace]
import { parseArgs } from "node:util";
import { runChaos } from "./chaos.ts";
import { describeStory } from "./describe.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  throw new Error("usage: npm run chaos -- --seconds SECONDS --seed INTEGER [--trace]");
}
console.log(`chaos: seed ${seed}, ${seconds} s`);
const { counts, violations, before, after } = await runChaos({
  seed,
  seconds,
  onPlan: (plan) => values.trace && console.log(JSON.stringify(plan, null, 1)),
  onPhase: (phase) => console.log(`${new Date().toISOString()} ${phase}`),
  onViolation({ name, detail, reader, story, lines }) {
    console.log(`VIOLATION ${name}${reader === undefined ? "" : ` (${reader})`}: ${detail}`);
    if (story !== undefined) console.log(describeStory(story));
    for (const line of lines) console.log(`  service ${line}`);
  },
});
for (const [name, count] of Object.entries(counts))
  console.log(`${String(count).padStart(8)} ${name}`);
const size = ({ heapBytes, descriptors, processes }: typeof before) =>
  `${(heapBytes / 1024 / 1024).toFixed(1)} MiB, ${descriptors} descriptors, ${processes.length} processes`;
console.log(`at rest before: ${size(before)}; after: ${size(after)}`);
console.log(`chaos: seed ${seed}, ${seconds} s: ${violations} violations`);
// Calls that were dropped keep the timers of their deadlines.
process.exit(violations === 0 ? 0 : 1);
