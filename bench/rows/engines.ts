import { z } from "zod";
import { defineTool, unwrap } from "../../src/index.ts";
import type { Settings } from "../../src/server/settings.ts";
import { type Clients, connect } from "../clients.ts";
import { privateBytesOf } from "../processes.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { quantile, summarize, timeMs } from "../stats.ts";
import { formatMegabytes, formatMs, formatRatio } from "../table.ts";
import { type Dialect, dialects } from "./dialects.ts";

/** One engine and the language that it is measured in. */
interface Subject {
  readonly engine: string;
  readonly dialect: Dialect;
  /** Without the second wall, to see what it costs. */
  readonly isAlone?: boolean;
  /** Of each kind; a heavy engine gets few. */
  readonly runs: number;
  readonly waiting: number;
}

const subjects: readonly Subject[] = [
  { engine: "cpython", dialect: dialects.python, runs: 200, waiting: 50 },
  { engine: "cpython", dialect: dialects.python, isAlone: true, runs: 200, waiting: 50 },
  { engine: "quickjs", dialect: dialects.javascript, runs: 200, waiting: 50 },
  { engine: "quickjs", dialect: dialects.typescript, runs: 200, waiting: 50 },
  { engine: "pyodide", dialect: dialects.python, runs: 5, waiting: 3 },
];

/** A column: what was measured of one engine, by the name of the row. */
export type EngineColumn = Readonly<Record<string, string>>;

/** The engines side by side, each on a server of its own with nothing else; a column each, with its head. */
export async function engines(): Promise<ReadonlyMap<string, EngineColumn>> {
  const columns = new Map<string, EngineColumn>();
  for (const subject of subjects) {
    const { engine, dialect } = subject;
    process.stderr.write(`${engine} ${dialect.language} ... `);
    const head = `${engine}, ${dialect.language}${subject.isAlone ? ", one wall" : ""}`;
    columns.set(head, await measure(subject));
  }
  return columns;
}

async function measure(subject: Subject): Promise<EngineColumn> {
  const { engine, dialect, runs } = subject;
  const settings: Settings = {
    engines: [engine],
    queue_timeout_ms: 120_000,
    isolation: { second_wall: subject.isAlone ? "off" : "auto" },
  };
  const startedAt = performance.now();
  await using server = await startServerProcess(settings);
  await using clients = connect(server);
  const { language } = dialect;
  const run = async () => unwrap(await clients.sdk.execute(dialect.sum, { language }));
  await run();
  const firstMs = performance.now() - startedAt;
  for (let warm = 0; warm < runs / 10; warm += 1) await run();
  const fresh: number[] = [];
  for (let call = 0; call < runs; call += 1) fresh.push(await timeMs(run));
  return {
    isolation: server.engines[0]?.split(" ").at(-1) ?? "",
    "start of the service to the first result": formatMs(firstMs),
    "fresh run, p50": formatMs(summarize(fresh).p50),
    "fresh run, p99": formatMs(summarize(fresh).p99),
    "runs per second, 16 callers": (await rate(run, runs)).toFixed(runs < 50 ? 1 : 0),
    "tool round trip, p50": formatMs(await roundTrip(clients, dialect)),
    "private memory of a run that waits for a tool": await waiting(server, clients, subject),
    ...(await programs(clients, dialect)),
  };
}

async function rate(run: () => Promise<unknown>, runs: number): Promise<number> {
  const startedAt = performance.now();
  let left = runs * 2;
  const caller = async () => {
    while (left-- > 0) await run();
  };
  await Promise.all(Array.from({ length: 16 }, caller));
  return (runs * 2_000) / (performance.now() - startedAt);
}

/** Milliseconds of a call as the program itself sees it. */
async function roundTrip({ sdk }: Clients, { language, calls }: Dialect): Promise<number> {
  const echo = defineTool({
    name: "echo",
    description: "Gives back what it gets",
    inputSchema: z.object({ value: z.string() }),
    execute: ({ value }) => value,
  });
  const output = z.array(z.number());
  const samples = unwrap(await sdk.execute(calls, { language, tools: [echo], output }));
  return quantile(samples, 0.5);
}

/** What programs that wait hold, all processes of the engine together. */
async function waiting(server: ServerProcess, clients: Clients, subject: Subject): Promise<string> {
  const { dialect, waiting: count } = subject;
  const { language, wait: code } = dialect;
  const answered = Promise.withResolvers<number>();
  const allWait = Promise.withResolvers<void>();
  let open = 0;
  const wait = defineTool({
    name: "wait",
    description: "Answers when all wait",
    inputSchema: z.object({}),
    execute() {
      open += 1;
      if (open === count) allWait.resolve();
      return answered.promise;
    },
  });
  const heldBy = () => server.enginePids().reduce((sum, pid) => sum + privateBytesOf(pid), 0);
  const before = heldBy();
  const limits = { wallMs: 120_000, waitMs: 120_000 };
  const all = Promise.all(
    Array.from({ length: count }, async () =>
      unwrap(await clients.sdk.execute(code, { language, tools: [wait], limits })),
    ),
  );
  await Promise.race([allWait.promise, all]);
  const during = heldBy();
  answered.resolve(1);
  await all;
  return formatMegabytes((during - before) / count);
}

/** Programs that only compute, beside the same text run by the machine's own interpreter. */
async function programs(clients: Clients, dialect: Dialect): Promise<EngineColumn> {
  const { language, native } = dialect;
  const column: Record<string, string> = {};
  for (const [name, code] of Object.entries(dialect.programs)) {
    const inside: number[] = [];
    const outside: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const output = z.number();
      const limits = { wallMs: 60_000 };
      inside.push(unwrap(await clients.sdk.execute(code, { language, output, limits })));
      outside.push(await native(code));
    }
    const ratio = quantile(inside, 0.5) / quantile(outside, 0.5);
    column[name] = `${formatMs(quantile(inside, 0.5))}, ${formatRatio(ratio)} native`;
  }
  return column;
}
