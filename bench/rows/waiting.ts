import { randomUUID } from "node:crypto";
import { z } from "zod";
import { defineTool, unwrap } from "../../src/index.ts";
import { type Clients, connect } from "../clients.ts";
import { privateBytesOf } from "../processes.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../stats.ts";
import { atMost, formatMegabytes, type Row } from "../table.ts";

const code = `
answer = tools.wait(number=config["number"])
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
  const idle = new Set(server.enginePids());

  const startedAt = performance.now();
  const held = hold(clients, count);
  await held.open;
  const openedAt = performance.now();
  const privateBytes = server
    .enginePids()
    .filter((pid) => !idle.has(pid))
    .map(privateBytesOf);
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
  /** Resolves when all of them wait. */
  readonly open: Promise<void>;
  answer(): void;
  /** Resolves when all have completed, each with its own value; rejects otherwise. */
  readonly finished: Promise<unknown>;
}

function hold({ sdk }: Clients, count: number): Held {
  const answers = Array.from({ length: count }, () => randomUUID());
  const waiting = new Set<number>();
  const open = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const wait = defineTool({
    name: "wait",
    description: "Answers when all wait",
    inputSchema: z.object({ number: z.int() }),
    async execute({ number }) {
      waiting.add(number);
      if (waiting.size === count) open.resolve();
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
