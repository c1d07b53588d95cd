import { randomBytes } from "node:crypto";
import { z } from "zod";
import { Codemode, defineTool, type ExecuteOptions, serveTools, unwrap } from "../../src/index.ts";
import { connect, type EchoStream, openEchoStream } from "../clients.ts";
import { startServerProcess } from "../server-process.ts";
import { pause, type Summary, summarize, timeMs } from "../stats.ts";
import { atMost, formatMs, formatRatio, type Row, times } from "../table.ts";

const rounds = 5;
const perRound = 200;
const pacedPerRound = 60;
const spacingMs = 5;
const levels = [10, 100];
const atOncePerRound = 800;

/** A way from a program to the application's function and back. */
interface Road {
  readonly name: string;
  readonly codemode: Codemode;
  readonly options: ExecuteOptions;
}

const text = "0123456789";
const echoTool = defineTool({
  name: "echo",
  description: "Gives back what it gets",
  inputSchema: z.object({ value: z.string() }),
  execute: ({ value }) => value,
});

const limits = { toolCalls: 10_000, wallMs: 60_000 };
const nanoseconds = z.array(z.number());

// Each gives the nanoseconds of its calls, after a few that start what the first calls start.
const oneByOne = `
import time
samples = []
for index in range(config["skip"] + config["calls"]):
    time.sleep(config["spacing"])
    startedAt = time.monotonic_ns()
    tools.echo(value="${text}")
    samples.append(time.monotonic_ns() - startedAt)
samples[config["skip"]:]
`;
const atOnce = `
import asyncio, time
async def call():
    startedAt = time.monotonic_ns()
    await tools.echo(value="${text}")
    return time.monotonic_ns() - startedAt
await asyncio.gather(*(call() for _ in range(config["level"])))
samples, startedAt = [], time.monotonic_ns()
for _ in range(config["calls"] // config["level"]):
    samples += await asyncio.gather(*(call() for _ in range(config["level"])))
[time.monotonic_ns() - startedAt, *samples]
`;

/** From a program's call of a tool to its value, over each road, beside a bidi echo. */
export async function tools(): Promise<Row[]> {
  const apiKey = randomBytes(16).toString("hex");
  await using served = await serveTools([echoTool], { port: 0, apiKey });
  const target = `127.0.0.1:${served.port}`;
  await using server = await startServerProcess({
    tool_services: { bench: { target, api_key: apiKey } },
  });
  await using clients = connect(server);
  await using stream = openEchoStream(clients.echo);
  await using http1 = Codemode.connect({
    url: server.url,
    transport: "connect",
    httpVersion: "1.1",
  });
  const inline = { tools: [echoTool], limits };
  const roads: Road[] = [
    { name: "ExecuteInteractive", codemode: clients.sdk, options: inline },
    { name: "ExecuteStream + SubmitToolResult, HTTP/1.1", codemode: http1, options: inline },
    {
      name: "ToolService",
      codemode: clients.sdk,
      options: { tools: [], toolServices: ["bench"], limits },
    },
  ];
  await measure(roads, stream, 2); // warms both processes up
  const { echo, byRoad } = await measure(roads, stream, rounds);
  return [
    { figure: "bare bidi echo, back to back", ...times(summarize(echo.busy)) },
    { figure: `bare bidi echo, one every ${spacingMs} ms`, ...times(summarize(echo.paced)) },
    ...levels.map((level): Row => {
      const figure = `bare bidi echo, ${level} at once`;
      return { figure, ...times(echo.level(level)), beside: echo.rate(level) };
    }),
    ...roads.flatMap((road) => rowsOf(road, byRoad.get(road) ?? new Samples(), echo)),
  ];
}

/** What was measured of the echo or of a road, milliseconds. */
class Samples {
  readonly busy: number[] = [];
  readonly paced: number[] = [];
  readonly #levels = new Map<number, { readonly calls: number[]; tookMs: number }>();

  add(level: number, calls: readonly number[], tookMs: number): void {
    const before = this.#levels.get(level) ?? { calls: [], tookMs: 0 };
    before.calls.push(...calls);
    before.tookMs += tookMs;
    this.#levels.set(level, before);
  }

  level(level: number): Summary {
    return summarize(this.#levels.get(level)?.calls ?? []);
  }

  rate(level: number): string {
    const { calls, tookMs } = this.#levels.get(level) ?? { calls: [], tookMs: 0 };
    return `${((1_000 * calls.length) / tookMs).toFixed(0)}/s`;
  }
}

/** Echoes and roads in turn, so that whatever else the machine does hits all of them. */
async function measure(roads: readonly Road[], stream: EchoStream, times: number) {
  const echo = new Samples();
  const byRoad = new Map(roads.map((road) => [road, new Samples()]));
  for (let round = 0; round < times; round += 1) {
    await measureEcho(stream, echo);
    for (const [road, into] of byRoad) await measureRoad(road, into);
  }
  return { echo, byRoad };
}

async function measureEcho(stream: EchoStream, into: Samples): Promise<void> {
  for (let turn = 0; turn < perRound; turn += 1) into.busy.push(await timeMs(stream.turn));
  for (let turn = 0; turn < pacedPerRound; turn += 1) {
    await pause(spacingMs);
    into.paced.push(await timeMs(stream.turn));
  }
  for (const level of levels) {
    const turns: number[] = [];
    const startedAt = performance.now();
    while (turns.length < atOncePerRound) {
      const batch = Array.from({ length: level }, () => timeMs(stream.turn));
      turns.push(...(await Promise.all(batch)));
    }
    into.add(level, turns, performance.now() - startedAt);
  }
}

async function measureRoad({ codemode, options }: Road, into: Samples): Promise<void> {
  const run = async (code: string, config: Record<string, number>): Promise<number[]> => {
    const result = await codemode.execute(code, { ...options, config, output: nanoseconds });
    return unwrap(result).map((ns) => ns / 1e6);
  };
  into.busy.push(...(await run(oneByOne, { skip: 20, calls: perRound, spacing: 0 })));
  const spacing = spacingMs / 1_000;
  into.paced.push(...(await run(oneByOne, { skip: 5, calls: pacedPerRound, spacing })));
  for (const level of levels) {
    const [tookMs = Number.NaN, ...calls] = await run(atOnce, { level, calls: atOncePerRound });
    into.add(level, calls, tookMs);
  }
}

function rowsOf({ name }: Road, samples: Samples, echo: Samples): Row[] {
  const [busy, paced] = [summarize(samples.busy), summarize(samples.paced)];
  const ratio = busy.p50 / summarize(echo.busy).p50;
  const pacedRatio = paced.p50 / summarize(echo.paced).p50;
  const row: Row = {
    figure: `tool round trip by ${name}, one by one`,
    ...times(busy),
    beside: `${formatRatio(ratio)} the echo back to back; one every ${spacingMs} ms ${formatMs(paced.p50)}, ${formatRatio(pacedRatio)} the echo at that pace`,
  };
  return [
    name === "ExecuteInteractive" ? { ...row, bar: atMost(ratio, 2, "x") } : row,
    ...levels.map((level): Row => {
      const calls = samples.level(level);
      const beside = `${samples.rate(level)}, ${formatRatio(calls.p50 / echo.level(level).p50)} as many echoes at once`;
      return { figure: `the same, ${level} at once`, ...times(calls), beside };
    }),
  ];
}
