import { randomBytes } from "node:crypto";
import { type Codemode, type ExecuteOptions, type Execution, serveTools } from "../../src/index.ts";
import { connect } from "../clients.ts";
import { onlyBusyThread, untilGone, untilStill } from "../deaths.ts";
import { withInnerPid } from "../processes.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { pause, summarize } from "../stats.ts";
import { atMost, type Row, times } from "../table.ts";
import { WaitingTool } from "../waiting-tool.ts";

const wallMs = 500;
const samples = 20;
const busy = "import os\nprint(os.getpid(), flush=True)\nwhile True: pass";
const idle = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)";
const asking = "import os\nprint(os.getpid(), flush=True)\ntools.wait()";
const endless = { wallMs: 120_000 };

/** From a client's word to the end of whatever is below it, and how late a wall limit ends a guest. */
export async function endings(): Promise<Row[]> {
  const apiKey = randomBytes(16).toString("hex");
  const waiting = new WaitingTool();
  await using served = await serveTools([waiting.tool], { port: 0, apiKey });
  const target = `127.0.0.1:${served.port}`;
  await using server = await startServerProcess({
    tool_services: { bench: { target, api_key: apiKey } },
  });
  await using clients = connect(server);
  const { sdk } = clients;
  for (let call = 0; call < 50; call += 1) await sdk.execute("result = 2 + 2");
  const inline = { tools: [waiting.tool] };
  const remote = { tools: [], toolServices: ["bench"] };
  return [
    row(
      "cancel() to the guest's death, busy guest",
      await many(() => afterCancel(sdk, server, busy)),
    ),
    row("the same, sleeping guest", await many(() => afterCancel(sdk, server, idle))),
    row("break to the guest's death, busy guest", await many(() => afterBreak(sdk, server, busy))),
    ...(await duringCall("its caller's tool", { sdk, server, waiting, options: inline })),
    ...(await duringCall("a ToolService's tool", { sdk, server, waiting, options: remote })),
    await inQueue(),
    await ofThread("quickjs", { language: "javascript", code: "console.log(1); for (;;);" }),
    await ofThread("pyodide", {
      language: "python",
      code: "print(1, flush=True)\nwhile True: pass",
    }),
    await overshoot(sdk),
  ];
}

interface CallStage {
  readonly sdk: Codemode;
  readonly server: ServerProcess;
  readonly waiting: WaitingTool;
  readonly options: ExecuteOptions;
}

async function duringCall(
  whose: string,
  { sdk, server, waiting, options }: CallStage,
): Promise<Row[]> {
  const deaths: number[] = [];
  const aborts: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const execution = sdk.stream(asking, { ...options, limits: endless });
    const pid = withInnerPid(server.enginePids(), await firstOutput(execution));
    const { abortedAt } = await waiting.next();
    const startedAt = performance.now();
    const cancelled = execution.cancel();
    deaths.push(await untilGone(pid, startedAt));
    aborts.push((await abortedAt) - startedAt);
    await cancelled;
  }
  return [
    row(`cancel() to the guest's death, guest waits for ${whose}`, deaths),
    row(`cancel() to the abort of the handler's signal, ${whose}`, aborts),
  ];
}

/** From the cancel of one that waits for the only slot to its leaving the queue. */
async function inQueue(): Promise<Row> {
  await using server = await startServerProcess({ slots: 1, queue_timeout_ms: 120_000 });
  await using clients = connect(server);
  const { sdk } = clients;
  const holder = sdk.stream(idle, { limits: endless });
  await holder.id;
  const waits = await many(async () => {
    const execution = sdk.stream("result = 2 + 2");
    while ((await server.queued()) === 0) await pause(1);
    const startedAt = performance.now();
    const cancelled = execution.cancel();
    while ((await server.queued()) > 0);
    const ms = performance.now() - startedAt;
    await cancelled;
    return ms;
  });
  await holder.cancel();
  return row("cancel() to the end of the wait for a slot", waits);
}

/** From a cancel to the last moment at which the thread of a busy guest computes: it, or its process, ends then. */
async function ofThread(
  engine: string,
  { language, code }: { readonly language: "javascript" | "python"; readonly code: string },
): Promise<Row> {
  await using server = await startServerProcess({ engines: [engine], queue_timeout_ms: 120_000 });
  await using clients = connect(server);
  const { sdk } = clients;
  await sdk.execute(language === "python" ? "result = 2 + 2" : "2 + 2", { language });
  const waits = await many(async () => {
    const execution = sdk.stream(code, { language, limits: endless });
    await firstOutput(execution);
    const thread = await onlyBusyThread(server.enginePids);
    const startedAt = performance.now();
    const cancelled = execution.cancel();
    const ms = await untilStill(thread, startedAt);
    await cancelled;
    return ms;
  }, samples / 2);
  return row(`cancel() to the last moment on a core, busy guest of ${engine}`, waits);
}

async function many(sample: () => Promise<number>, count = samples): Promise<number[]> {
  const waits: number[] = [];
  while (waits.length < count) waits.push(await sample());
  return waits;
}

function row(figure: string, waits: readonly number[]): Row {
  const summary = summarize(waits);
  return { figure, ...times(summary), bar: atMost(summary.max, 50, " ms at worst") };
}

async function afterCancel(sdk: Codemode, server: ServerProcess, program: string): Promise<number> {
  const execution = sdk.stream(program);
  const pid = withInnerPid(server.enginePids(), await firstOutput(execution));
  const startedAt = performance.now();
  const cancelled = execution.cancel();
  const ms = await untilGone(pid, startedAt);
  await cancelled;
  return ms;
}

async function afterBreak(sdk: Codemode, server: ServerProcess, program: string): Promise<number> {
  let gone: Promise<number> | undefined;
  for await (const event of sdk.stream(program)) {
    if (event.type !== "output") continue;
    gone = untilGone(withInnerPid(server.enginePids(), Number(event.text)), performance.now());
    break;
  }
  if (gone === undefined) throw new Error("the guest did not print its pid");
  return gone;
}

/** The number that a program prints first: its pid, for one that can know it. */
async function firstOutput<T>(execution: Execution<T>): Promise<number> {
  const events = execution[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await events.next();
    if (done) throw new Error("the guest did not print");
    if (value.type === "output") return Number(value.text);
  }
}

async function overshoot(sdk: Codemode): Promise<Row> {
  const late: number[] = [];
  for (let sample = 0; sample < samples / 2; sample += 1) {
    const { usage } = await sdk.execute("while True: pass", { limits: { wallMs } });
    late.push(usage.wallMs - wallMs);
  }
  const summary = summarize(late);
  return {
    figure: `wall limit of ${wallMs} ms, overshoot`,
    ...times(summary),
    bar: atMost(summary.max, 20, " ms at worst"),
  };
}
