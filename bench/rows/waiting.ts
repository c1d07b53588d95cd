import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { defineTool, unwrap } from "../../src/index.ts";
import { type Clients, connect } from "../clients.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../stats.ts";
import { atMost, formatMegabytes, type Row } from "../table.ts";

// A guest's pid is that of the machine's /proc.
const code = `
import os
answer = tools.wait(number=config["number"], pid=os.getpid())
[config["number"], answer]
`;
const limits = { wallMs: 150_000, waitMs: 150_000 };
const answerSchema = z.tuple([z.number(), z.string()]);

/** Executions that all wait for a tool at once, each for its own answer, and what they hold meanwhile. */
export async function waiting(count: number): Promise<Row[]> {
  await using server = await startServerProcess({
    slots: count,
    queue_timeout_ms: 150_000,
  });
  await using clients = connect(server);
  for (let call = 0; call < 200; call += 1) await clients.sdk.execute("result = 2 + 2");
  const before = await server.collect();

  const startedAt = performance.now();
  const held = hold(clients, count);
  const pids = await held.open;
  const openedAt = performance.now();
  const privateBytes = pids.map(privateBytesOf);
  const during = await server.collect();
  const answeredAt = performance.now();
  held.answer();
  await held.finished;
  const finishedAt = performance.now();
  const after = await server.collect();

  const seconds = (from: number, to: number) => `${((to - from) / 1_000).toFixed(2)} s`;
  const each = summarize(privateBytes);
  const mean = privateBytes.reduce((sum, bytes) => sum + bytes, 0) / count;
  const executions = `${count.toLocaleString("en")} executions that wait for a tool`;
  return [
    {
      figure: `${executions}, all of them finished with their own value`,
      beside: `all open after ${seconds(startedAt, openedAt)}; all finished ${seconds(answeredAt, finishedAt)} after the answers, ${seconds(startedAt, openedAt + finishedAt - answeredAt)} in all`,
    },
    {
      figure: `${executions}, private memory of each`,
      beside: `median ${formatMegabytes(each.p50)}, at worst ${formatMegabytes(each.max)}`,
      bar: atMost(mean / 1e6, 3, " MB on average"),
    },
    {
      figure: `${executions}, server RSS before, while, after`,
      beside: [before, during, after].map(({ rssBytes }) => formatMegabytes(rssBytes)).join(" / "),
    },
  ];
}

interface Held {
  /** The pids of all guests, once all of them wait. */
  readonly open: Promise<readonly number[]>;
  answer(): void;
  /** Resolves when all have completed, each with its own value; rejects otherwise. */
  readonly finished: Promise<unknown>;
}

function hold({ sdk }: Clients, count: number): Held {
  const answers = Array.from({ length: count }, () => randomUUID());
  const pids = new Map<number, number>();
  const open = Promise.withResolvers<readonly number[]>();
  const answered = Promise.withResolvers<void>();
  const wait = defineTool({
    name: "wait",
    description: "Answers when all wait",
    inputSchema: z.object({ number: z.int(), pid: z.int() }),
    async execute({ number, pid }) {
      pids.set(number, pid);
      if (pids.size === count) open.resolve([...pids.values()]);
      await answered.promise;
      return answers[number];
    },
  });
  const run = async (number: number) => {
    const config = { number };
    const options = { tools: [wait], limits, config, output: answerSchema };
    const value = unwrap(await sdk.execute(code, options));
    if (value[0] !== number || value[1] !== answers[number])
      throw new Error(`execution ${number} ended with the value of ${value[0]}`);
  };
  const finished = Promise.all(answers.keys().map(run));
  // One that fails before all are open would leave the others waiting.
  finished.catch(open.reject);
  return { open: open.promise, answer: answered.resolve, finished };
}

/** What a process does not share with the zygote that it was forked from. */
function privateBytesOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const sizes = [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)];
  if (sizes.length !== 2) throw new Error(`no private sizes of process ${pid}`);
  return sizes.reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1_024, 0);
}
