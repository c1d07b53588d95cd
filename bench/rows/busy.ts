import { connect } from "../clients.ts";
import { type LoopDelay, type ServerProcess, startServerProcess } from "../server-process.ts";
import { pause, summarize, timeMs } from "../stats.ts";
import { formatMs, type Row, times } from "../table.ts";

const guests = 100;
const watchMs = 3_000;
const limits = { wallMs: 12_000 };

/** How late the service's event loop is, and how long an echo takes, under 100 busy guests. */
export async function busy(): Promise<Row[]> {
  await using server = await startServerProcess();
  await using clients = connect(server);
  const echo = () => clients.echo.echo({ value: "0123456789" });
  for (let call = 0; call < 500; call += 1) await echo();
  const quiet = await watch(server, echo);

  const stop = new AbortController();
  const runs = Array.from({ length: guests }, () =>
    clients.sdk.execute("while True: pass", { limits, signal: stop.signal }).catch(() => undefined),
  );
  await pause(2_500); // until all are forked
  const inUse = await server.inUse();
  const loaded = await watch(server, echo);
  stop.abort();
  await Promise.all(runs);
  return [
    row("event loop of the idle service, delay", quiet.loop),
    {
      ...row(`event loop under ${inUse} busy guests, delay`, loaded.loop),
      beside: `at worst ${formatMs(loaded.loop.max)}, idle ${formatMs(quiet.loop.max)}`,
    },
    {
      figure: `unary echo under ${inUse} busy guests`,
      ...times(loaded.echo),
      beside: `idle ${formatMs(quiet.echo.p50)}, p99 ${formatMs(quiet.echo.p99)}`,
    },
  ];
}

function row(figure: string, { p50, p99 }: LoopDelay): Row {
  return { figure, median: formatMs(p50), p99: formatMs(p99) };
}

async function watch(server: ServerProcess, echo: () => Promise<unknown>) {
  await server.watchLoop();
  const endsAt = performance.now() + watchMs;
  const samples: number[] = [];
  while (performance.now() < endsAt) {
    await pause(10);
    samples.push(await timeMs(echo));
  }
  return { loop: await server.loopDelay(), echo: summarize(samples) };
}
