import type { Settings } from "../../src/server/settings.ts";
import { type LoadReport, startLoad } from "../load-process.ts";
import { computeJs, type LoadName } from "../loads.ts";
import { besideRow, keys, measureBeside, type Small, tenantKeys } from "../neighbour.ts";
import { startServerProcess } from "../server-process.ts";
import type { Row } from "../table.ts";

interface Case {
  readonly name: LoadName;
  /** What the neighbour's run is beside. */
  readonly beside: string;
  /** What the neighbour runs; a small program of Python where nothing is said. */
  readonly small?: Small;
  readonly settings?: Settings;
}

const javascript: Small = { code: "2 + 2", language: "javascript" };
// Of 0.4 s, about.
const longJavascript: Small = { code: computeJs(13), language: "javascript" };

const cases: readonly Case[] = [
  { name: "flood", beside: "flood, 64 callers of short runs" },
  { name: "crashes", beside: "1,000 programs that crash, again and again" },
  { name: "loops", beside: "200 endless loops" },
  { name: "outputs", beside: "8 programs that print 100 MB each" },
  { name: "channels", beside: "4 programs that alternate stdout and stderr" },
  { name: "tinyCalls", beside: "4 programs that call tools 64 at a time, with next to nothing" },
  { name: "largeCalls", beside: "4 programs that call tools with 1.9 MB" },
  {
    name: "shorts",
    beside: "16 callers of JavaScript of 30 ms (the run: JavaScript of 0.4 s)",
    small: longJavascript,
  },
  {
    name: "hoards",
    beside: "20 programs of 220 MiB where there is 1 GiB (the run: JavaScript)",
    small: javascript,
    settings: { memory_bytes: 1024 ** 3 },
  },
  { name: "declarations", beside: "4 callers that declare 1,000 new tools each time" },
];

/** What one tenant's small runs take beside another tenant's worst; each on a fresh server. */
export async function fairness({ quick }: { readonly quick: boolean }): Promise<Row[]> {
  const rows: Row[] = [];
  for (const each of cases) rows.push(await under(each, quick ? 1_500 : 8_000));
  return rows;
}

async function under({ name, beside, small, settings }: Case, ms: number): Promise<Row> {
  await using server = await startServerProcess({
    api_keys: tenantKeys,
    queue_timeout_ms: 60_000,
    ...settings,
  });
  const start = () => startLoad({ name, url: server.url, apiKey: keys.loud });
  const { report, ...times } = await measureBeside(server.url, ms, start, small);
  return besideRow(`a run beside another tenant's ${beside}`, times, describe(report));
}

function describe({ ends, seconds, refusalMs }: LoadReport): string {
  const counts = Object.entries(ends).map(([how, count]) => `${count.toLocaleString("en")} ${how}`);
  const refused = refusalMs.length > 0 ? [`${refusalMs.length.toLocaleString("en")} refused`] : [];
  return `the other: ${[...counts, ...refused].join(", ")} in ${seconds.toFixed(0)} s`;
}
