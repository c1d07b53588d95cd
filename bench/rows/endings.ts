import { existsSync } from "node:fs";
import type { Codemode, Execution } from "../../src/index.ts";
import { connect } from "../clients.ts";
import { withInnerPid } from "../processes.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { pause, summarize } from "../stats.ts";
import { atMost, type Row, times } from "../table.ts";

const wallMs = 500;
const samples = 20;
const busy = "import os\nprint(os.getpid(), flush=True)\nwhile True: pass";
const idle = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)";

/** From a client's word to the death of the guest, and how late a wall limit ends one. */
export async function endings(): Promise<Row[]> {
  await using server = await startServerProcess();
  await using clients = connect(server);
  const { sdk } = clients;
  for (let call = 0; call < 50; call += 1) await sdk.execute("result = 2 + 2");
  const deaths = async (figure: string, program: string, end: Ending): Promise<Row> => {
    const waits: number[] = [];
    for (let sample = 0; sample < samples; sample += 1) waits.push(await end(sdk, server, program));
    const summary = summarize(waits);
    return { figure, ...times(summary), bar: atMost(summary.max, 50, " ms at worst") };
  };
  return [
    await deaths("cancel() to the guest's death, busy guest", busy, afterCancel),
    await deaths("cancel() to the guest's death, sleeping guest", idle, afterCancel),
    await deaths("break to the guest's death, busy guest", busy, afterBreak),
    await overshoot(sdk),
  ];
}

type Ending = (sdk: Codemode, server: ServerProcess, program: string) => Promise<number>;

async function afterCancel(sdk: Codemode, server: ServerProcess, program: string): Promise<number> {
  const execution = sdk.stream(program);
  const pid = withInnerPid(server.enginePids(), await firstPid(execution));
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

async function firstPid<T>(execution: Execution<T>): Promise<number> {
  const events = execution[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await events.next();
    if (done) throw new Error("the guest did not print its pid");
    if (value.type === "output") return Number(value.text);
  }
}

/** Milliseconds until a process is gone, reaped and all; looked at every one of them, which leaves it a core. */
async function untilGone(pid: number, startedAt: number): Promise<number> {
  if (!existsSync(`/proc/${pid}`)) throw new Error(`there is no guest ${pid}`);
  while (existsSync(`/proc/${pid}`)) await pause(1);
  return performance.now() - startedAt;
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
