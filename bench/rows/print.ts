import type { Codemode } from "../../src/index.ts";
import { connect, openEchoStream } from "../clients.ts";
import { startServerProcess } from "../server-process.ts";
import { pause, summarize, timeMs } from "../stats.ts";
import { atMost, formatRatio, type Row, times } from "../table.ts";

const rounds = 4;
const perRound = 100;
const spacingMs = 5;

// time.monotonic_ns() and process.hrtime() both read CLOCK_MONOTONIC.
const program = `
import time
time.sleep(0.1)
for _ in range(${perRound}):
    print(time.monotonic_ns())
    time.sleep(${spacingMs / 1_000})
`;

/** From a guest's print to the event in the client's hands, beside a bidi echo. */
export async function print(): Promise<Row[]> {
  await using server = await startServerProcess();
  await using clients = connect(server);
  await using stream = openEchoStream(clients.echo);
  for (let turn = 0; turn < 500; turn += 1) await stream.turn();
  await latencies(clients.sdk);

  const busy: number[] = [];
  const spaced: number[] = [];
  const prints: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < perRound; turn += 1) busy.push(await timeMs(stream.turn));
    for (let turn = 0; turn < perRound; turn += 1) {
      await pause(spacingMs);
      spaced.push(await timeMs(stream.turn));
    }
    prints.push(...(await latencies(clients.sdk)));
  }
  const [echo, rested, printed] = [summarize(busy), summarize(spaced), summarize(prints)];
  // At one pace: what comes rarely finds cores asleep and caches cold, whatever carries it.
  const ratio = printed.p50 / rested.p50;
  return [
    { figure: "bare bidi echo, back to back", ...times(echo) },
    { figure: `bare bidi echo, one every ${spacingMs} ms`, ...times(rested) },
    {
      figure: `print to the client's event, one every ${spacingMs} ms`,
      ...times(printed),
      beside: `${formatRatio(ratio)} the echo at that pace, ${formatRatio(printed.p50 / echo.p50)} back to back`,
      bar: atMost(ratio, 1.5, "x"),
    },
  ];
}

/** Milliseconds from each print of one run to its arrival. */
async function latencies(sdk: Codemode): Promise<number[]> {
  const samples: number[] = [];
  for await (const event of sdk.stream(program)) {
    const now = process.hrtime.bigint();
    if (event.type !== "output") continue;
    for (const line of event.text.trimEnd().split("\n")) {
      samples.push(Number(now - BigInt(line)) / 1e6);
    }
  }
  if (samples.length !== perRound)
    throw new Error(`${samples.length} of ${perRound} lines arrived`);
  return samples;
}
