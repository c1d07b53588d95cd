import { type LoadReport, startLoad } from "../load-process.ts";
import type { LoadName } from "../loads.ts";
import { besideRow, keys, measureBeside, tenantKeys } from "../neighbour.ts";
import { startServerProcess } from "../server-process.ts";
import type { Row } from "../table.ts";

const titles: readonly (readonly [LoadName, string])[] = [
  ["flood", "a run beside another tenant's flood, 64 callers of short runs"],
  ["crashes", "a run beside another tenant's 1,000 programs that crash, again and again"],
  ["loops", "a run beside another tenant's 200 endless loops"],
  ["outputs", "a run beside another tenant's 8 programs that print 100 MB each"],
  ["channels", "a run beside another tenant's 4 programs that alternate stdout and stderr"],
  [
    "declarations",
    "a run beside another tenant's 4 callers that declare 1,000 new tools each time",
  ],
];

/** What one tenant's small runs take beside another tenant's worst; each on a fresh server. */
export async function fairness({ quick }: { readonly quick: boolean }): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, title] of titles) rows.push(await under(name, title, quick ? 1_500 : 8_000));
  return rows;
}

async function under(name: LoadName, title: string, ms: number): Promise<Row> {
  await using server = await startServerProcess({
    api_keys: tenantKeys,
    queue_timeout_ms: 60_000,
  });
  const start = () => startLoad({ name, url: server.url, apiKey: keys.loud });
  const beside = await measureBeside(server.url, ms, start);
  return besideRow(title, beside, describe(beside.report));
}

function describe({ ends, seconds, refusalMs }: LoadReport): string {
  const counts = Object.entries(ends).map(([how, count]) => `${count.toLocaleString("en")} ${how}`);
  const refused = refusalMs.length > 0 ? [`${refusalMs.length.toLocaleString("en")} refused`] : [];
  return `the other: ${[...counts, ...refused].join(", ")} in ${seconds.toFixed(0)} s`;
}
