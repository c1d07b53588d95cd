import type { Settings } from "../../src/server/settings.ts";
import { startLoad } from "../load-process.ts";
import { type LoadName, overload as most } from "../loads.ts";
import { besideRow, keys, measureBeside, tenantKeys } from "../neighbour.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../stats.ts";
import { type Row, times } from "../table.ts";

/** How fast calls are refused that find no place, and what another tenant sees meanwhile. */
export async function overload({ quick }: { readonly quick: boolean }): Promise<Row[]> {
  const ms = quick ? 1_500 : 4_000;
  const { slots, queue } = most;
  const full = {
    slots: 2 * slots,
    queue_size: 2 * queue,
    tenant_slots: slots,
    tenant_queue_size: queue,
    queue_timeout_ms: 120_000,
  };
  const rate = { tenant_executions_per_minute: most.perMinute };
  return [
    ...(await refusals("fullQueue", "the tenant's part of the queue is full", full, ms)),
    ...(await refusals("overRate", `more than ${most.perMinute} executions a minute`, rate, ms)),
  ];
}

async function refusals(
  name: LoadName,
  why: string,
  settings: Settings,
  ms: number,
): Promise<Row[]> {
  await using server = await startServerProcess({ ...settings, api_keys: tenantKeys });
  const start = () => startLoad({ name, url: server.url, apiKey: keys.loud });
  const { report, ...beside } = await measureBeside(server.url, ms, start);
  const { refusalMs, seconds, withoutRetryInfo } = report;
  const count = refusalMs.length;
  const told = withoutRetryInfo === 0 ? "all" : `${count - withoutRetryInfo} of ${count}`;
  return [
    {
      figure: `a refusal, ${most.callers} callers: ${why}`,
      ...times(summarize(refusalMs)),
      beside: `${(count / seconds).toFixed(0)} refusals/s, ${told} of them with RetryInfo`,
    },
    besideRow(
      "a run of another tenant meanwhile",
      beside,
      `${count.toLocaleString("en")} refusals in ${seconds.toFixed(0)} s`,
    ),
  ];
}
