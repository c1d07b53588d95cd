// `npm run bench -- [--quick] [--only name]`: the figures of the service, side by side in one run. Without
// `--quick` it makes 100,000 runs for one of them, and takes some ten minutes.
import os from "node:os";
import { parseArgs } from "node:util";
import { ancestor } from "./rows/ancestor.ts";
import { attacks } from "./rows/attacks.ts";
import { busy } from "./rows/busy.ts";
import { calls } from "./rows/calls.ts";
import { endings } from "./rows/endings.ts";
import { type EngineColumn, engines } from "./rows/engines.ts";
import { fairness } from "./rows/fairness.ts";
import { memory } from "./rows/memory.ts";
import { output } from "./rows/output.ts";
import { overload } from "./rows/overload.ts";
import { print } from "./rows/print.ts";
import { slowReader } from "./rows/slow-reader.ts";
import { throughput } from "./rows/throughput.ts";
import { tools } from "./rows/tools.ts";
import { waiting } from "./rows/waiting.ts";
import { formatColumns, formatTable, type Row } from "./table.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
  },
});

const columns = new Map<string, EngineColumn>();
const groups: Readonly<Record<string, () => Promise<Row[]>>> = {
  calls,
  throughput,
  print,
  output,
  tools,
  waiting: () => waiting(values.quick ? 200 : 1_000),
  memory: () => memory(values.quick ? 5_000 : 100_000),
  endings,
  busy,
  fairness: () => fairness(values),
  "slow-reader": () => slowReader(values),
  overload: () => overload(values),
  attacks: () => attacks(values),
  opencodemode: ancestor,
  async engines() {
    for (const [head, column] of await engines()) columns.set(head, column);
    return [];
  },
};

const unknown = values.only.filter((name) => !(name in groups));
if (unknown.length > 0) {
  console.error(`no such rows: ${unknown.join(", ")}; there are ${Object.keys(groups).join(", ")}`);
  process.exit(2);
}

const [load = 0] = os.loadavg();
const startedAt = performance.now();
const rows: Row[] = [];
for (const [name, measure] of Object.entries(groups)) {
  if (values.only.length > 0 && !values.only.includes(name)) continue;
  process.stderr.write(`${name} ... `);
  try {
    rows.push(...(await measure()));
    process.stderr.write(`${((performance.now() - startedAt) / 1_000).toFixed(0)} s\n`);
  } catch (error) {
    // A slow figure is a figure; one that could not be had is a fault.
    process.exitCode = 1;
    process.stderr.write("failed\n");
    console.error(error);
    rows.push({ figure: name, beside: "failed, see above" });
  }
}

console.log(
  [
    `${os.availableParallelism()} cores (${os.cpus()[0]?.model.trim()}), Linux ${os.release()}, Node ${process.version}`,
    "client and server are separate processes on the same machine, and share its cores with the guests;",
    "gRPC over HTTP/2 on loopback; each group of rows has a fresh server and measures its own echo or fork",
    `took ${((performance.now() - startedAt) / 1_000).toFixed(0)} s; load before it ${load.toFixed(2)}, which an idle machine would show as 0`,
    ...(rows.length > 0 ? ["", formatTable(rows)] : []),
    ...(columns.size > 0 ? ["", formatColumns(columns)] : []),
  ].join("\n"),
);
