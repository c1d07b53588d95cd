import { type AttackReport, startAttack } from "../attack-process.ts";
import type { AttackName } from "../attacks.ts";
import { keys, Neighbour, tenantKeys } from "../neighbour.ts";
import { startServerProcess } from "../server-process.ts";
import { pause, quantile } from "../stats.ts";
import { atMost, formatMegabytes, formatMs, formatRatio, type Row } from "../table.ts";

const titles: readonly (readonly [AttackName, string])[] = [
  ["rapidReset", "10,000 calls that are opened and reset, on each connection"],
  ["strangersReset", "the same, without a key"],
  ["continuation", "endless CONTINUATION"],
  ["emptyContinuation", "endless CONTINUATION, empty"],
  ["pings", "endless PING"],
  ["settings", "endless SETTINGS"],
  ["idleFrames", "endless frames that do nothing"],
  ["zeroWindows", "20 calls with endless output, zero windows"],
  ["halfOpen", "10,000 half-open calls"],
  ["oneByte", "messages that come one byte at a time"],
  ["oversize", "messages of 9 MiB"],
  ["bombs", "messages that unfold to 1 GiB"],
  ["allowedBombs", "messages that unfold to 7.5 MiB"],
  ["garbage", "frames of noise"],
];

const settleMs = 3_000;

/** What one tenant's small runs take while another, or a stranger, attacks; each on a fresh server. */
export async function attacks({ quick }: { readonly quick: boolean }): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, title] of titles) rows.push(await under(name, title, quick ? 2_000 : 24_000));
  return rows;
}

async function under(name: AttackName, title: string, ms: number): Promise<Row> {
  await using server = await startServerProcess({
    api_keys: tenantKeys,
    queue_timeout_ms: 60_000,
  });
  // Two, so that a p99 is not one run's.
  await using one = new Neighbour(server.url);
  await using two = new Neighbour(server.url);
  const run = async (forMs: number) => (await Promise.all([one.run(forMs), two.run(forMs)])).flat();
  await run(1_500); // warms both processes up
  const quiet = await run(ms / 2);
  const before = await server.collect();
  server.resetPeak();
  const port = Number(new URL(server.url).port);
  await using attacker = await startAttack({ name, port, apiKey: keys.loud });
  const attacked = await run(ms);
  const report = await attacker.stop();
  const peak = server.peakBytes();
  // What the attack left to do is no quiet.
  await pause(settleMs);
  const after = await server.collect();
  quiet.push(...(await run(ms / 2)));
  const sizes = [before.rssBytes, peak, after.rssBytes].map(formatMegabytes).join(" / ");
  const p99 = { quiet: quantile(quiet, 0.99), attacked: quantile(attacked, 0.99) };
  const ratio = p99.attacked / p99.quiet;
  return {
    figure: `a run under attack: ${title}`,
    median: formatMs(quantile(attacked, 0.5)),
    p99: formatMs(p99.attacked),
    beside: `${formatRatio(ratio)} of ${formatMs(p99.quiet)} in quiet (median ${formatMs(quantile(quiet, 0.5))}); ${describe(report)}; server RSS before, peak, after ${sizes}`,
    bar: atMost(ratio, 2, "x at p99"),
  };
}

function describe({ seconds, connections, sentBytes }: AttackReport): string {
  const sent = formatMegabytes(sentBytes);
  return `${connections.toLocaleString("en")} connections, ${sent} in ${seconds.toFixed(0)} s`;
}
