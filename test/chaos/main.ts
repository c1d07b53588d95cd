// npm run chaos -- --seconds 60 --seed 1 [--trace]
import { monitorEventLoopDelay } from "node:perf_hooks";
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
if (!(seconds > 0) || !Number.isSafeInteger(seed) || seed < 0) {
  throw new Error("usage: npm run chaos -- --seconds SECONDS --seed NATURAL [--trace]");
}
console.log(`chaos: seed ${seed}, ${seconds} s`);
const delays = monitorEventLoopDelay();
delays.enable();
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
const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const describe = ({ heapBytes, descriptors, processes, engine }: typeof before) =>
  `${mebibytes(heapBytes)}, ${descriptors} descriptors, ${processes.length} processes, ` +
  `in the engine ${mebibytes(engine.memoryBytes)}, ${engine.descriptors} descriptors, ${engine.threads} threads`;
console.log(`at rest before: ${describe(before)}`);
console.log(`at rest after: ${describe(after)}`);
console.log(
  `chaos itself: at most ${mebibytes(process.resourceUsage().maxRSS * 1024)}, ` +
    `late by ${(delays.percentile(99) / 1e6).toFixed(0)} ms (p99), ${(delays.max / 1e6).toFixed(0)} ms (most)`,
);
console.log(`chaos: seed ${seed}, ${seconds} s: ${violations} violations`);
// Calls that were dropped keep the timers of their deadlines.
process.exit(violations === 0 ? 0 : 1);
