import type { Codemode } from "../../src/index.ts";
import { startBareFork } from "../bare-fork.ts";
import { connect } from "../clients.ts";
import { startServerProcess } from "../server-process.ts";
import { quantile, summarize, timeMs } from "../stats.ts";
import { atLeast, formatMs, type Row, times } from "../table.ts";

const levels = [1, 8, 64];
const rounds = 3;
const forkSeconds = 0.8;
const runSeconds = 1.2;

/** Runs per second with some callers at once, beside bare fork + exit of the same zygote. */
export async function throughput(): Promise<Row[]> {
  await using server = await startServerProcess();
  await using clients = connect(server);
  await using bare = await startBareFork();
  await drive(clients.sdk, 8, 1.5); // warms up

  const serial: number[] = [];
  const pair: number[] = [];
  const rates = new Map<number, number[]>();
  const latencies = new Map<number, number[]>();
  const cpu = { runs: 0, client: 0, server: 0, guests: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const forks = await bare.measure(forkSeconds);
    serial.push(forks.serial);
    pair.push(forks.pair);
    for (const level of levels) {
      const before = [process.cpuUsage(), await server.usage(), server.guestCpuMs()] as const;
      const { perSecond, samples } = await drive(clients.sdk, level, runSeconds);
      rates.set(level, [...(rates.get(level) ?? []), perSecond]);
      latencies.set(level, [...(latencies.get(level) ?? []), ...samples]);
      if (level === 1) continue;
      const { user, system } = process.cpuUsage(before[0]);
      cpu.runs += samples.length;
      cpu.client += (user + system) / 1_000;
      cpu.server += (await server.usage()).cpuMs - before[1].cpuMs;
      cpu.guests += server.guestCpuMs() - before[2];
    }
  }

  const serialRate = quantile(serial, 0.5);
  const pairRate = quantile(pair, 0.5);
  const of = (ms: number) => formatMs(ms / cpu.runs);
  return [
    {
      figure: "bare fork + exit of the zygote",
      beside: `${pairRate.toFixed(0)}/s two in flight, ${serialRate.toFixed(0)}/s one by one`,
    },
    ...levels.map((level): Row => {
      const rate = quantile(rates.get(level) ?? [], 0.5);
      const percent = (100 * rate) / pairRate;
      return {
        figure: `runs per second, ${level} ${level === 1 ? "caller" : "callers"}`,
        ...times(summarize(latencies.get(level) ?? [])),
        beside: `${rate.toFixed(0)}/s, ${percent.toFixed(0)} % of two in flight, ${((100 * rate) / serialRate).toFixed(0)} % of one by one`,
        bar: atLeast(percent, 60, " %"),
      };
    }),
    {
      figure: "CPU time of one run, 8 and 64 callers",
      beside: `client ${of(cpu.client)}, server ${of(cpu.server)}, zygote and guest ${of(cpu.guests)}`,
    },
  ];
}

/** So many callers, each calling again as soon as it has its answer. */
async function drive(sdk: Codemode, callers: number, seconds: number) {
  const samples: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  const call = async () => {
    const { status } = await sdk.execute("result = 2 + 2");
    if (status !== "completed") throw new Error(`2 + 2 ${status}`);
  };
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < endsAt) samples.push(await timeMs(call));
    }),
  );
  return { samples, perSecond: samples.length / ((performance.now() - startedAt) / 1_000) };
}
