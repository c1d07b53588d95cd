import type { Codemode } from "../src/index.ts";
import { pause } from "./stats.ts";
import type { Tally } from "./tally.ts";

/** What a load works with. */
export interface LoadTools {
  readonly client: Codemode;
  readonly tally: Tally;
  /** Aborts when the load is to end. */
  readonly signal: AbortSignal;
  /** To be called once, when the load is as heavy as it gets. */
  readonly onUnderWay: () => void;
}

/** Names of the loads. */
export type LoadName =
  | "flood"
  | "crashes"
  | "loops"
  | "outputs"
  | "channels"
  | "shorts"
  | "hoards"
  | "tinyCalls"
  | "largeCalls"
  | "declarations"
  | "fullQueue"
  | "overRate";

/** What a tenant may have where its calls are to be refused. */
export const overload = { slots: 4, queue: 4, perMinute: 300, callers: 32 } as const;

const sum = "result = 2 + 2";
const crash = "import ctypes\nctypes.string_at(0)";
const print = `line = "x" * 999\nfor _ in range(100_000): print(line)`;
const alternate = "for (;;) { console.log(''); console.error(''); }";
const hoard = `const all = [];
for (let i = 0; i < 220; i += 1) all.push(new Uint8Array(2 ** 20));
await new Promise((resolve) => setTimeout(resolve, 300));`;
const tinyCalls = `for (let i = 0; i < 150; i += 1)
  await Promise.all(Array.from({ length: 64 }, () => tools.echo({})));`;
const largeCalls = `text = "x" * 1_900_000
for _ in range(30):
    tools.take(text=text)`;
const callLimits = { toolCalls: 10_000 };
const echo = { description: "gives what it is given", execute: (given: unknown) => given };
const take = { description: "takes what it is given", execute: () => null };
const longest = { wallMs: 120_000 };

/** What one tenant can do to a service: each runs until its signal aborts. */
export const loads: Readonly<Record<LoadName, (tools: LoadTools) => Promise<void>>> = {
  /** Short runs as fast as the service takes them. */
  flood: (tools) => callers(64, tools, () => tools.client.execute(sum)),
  /** A thousand programs at once that end with SIGSEGV, and then the next thousand. */
  crashes: (tools) => callers(1_000, tools, () => tools.client.execute(crash)),
  async loops({ client, tally, signal, onUnderWay }) {
    const executions = Array.from({ length: 200 }, () =>
      client.stream("while True: pass", { limits: longest, signal }),
    );
    const ends = executions.map((execution) => tally.take(() => execution.outcome));
    await Promise.race([Promise.all(executions.map(({ id }) => id)), Promise.all(ends)]);
    onUnderWay();
    await Promise.all(ends);
  },
  /** Programs that print 100 MB each, read as fast as they come. */
  async outputs({ client, tally, signal, onUnderWay }) {
    const limits = { ...longest, outputBytes: 200e6 };
    const read = async () => {
      await using execution = client.stream(print, { limits, signal });
      for await (const { type } of execution) if (type === "finished") break;
      return execution.outcome;
    };
    await callers(8, { client, tally, signal, onUnderWay }, read);
  },
  /** Programs that change the channel of their output with each line: no two of its events can be joined. */
  async channels({ client, tally, signal, onUnderWay }) {
    const limits = { ...longest, outputBytes: 200e6 };
    const read = async () => {
      await using execution = client.stream(alternate, { language: "javascript", limits, signal });
      for await (const { type } of execution) if (type === "finished") break;
      return execution.outcome;
    };
    await callers(4, { client, tally, signal, onUnderWay }, read);
  },
  /** Programs that compute for some 30 ms, one after the other. */
  shorts: (tools) => {
    const options = { language: "javascript" } as const;
    return callers(16, tools, () => tools.client.execute(computeJs(1), options));
  },
  /** Programs that hold 220 MiB each for a while, where there is no room for all of them. */
  hoards: (tools) => {
    const options = { language: "javascript" } as const;
    return callers(20, tools, () => tools.client.execute(hoard, options));
  },
  /** Programs that call a tool with hardly anything, 64 at a time, as fast as they are answered. */
  tinyCalls: (tools) => {
    const options = { language: "javascript", limits: callLimits, tools: { echo } } as const;
    return callers(4, tools, () => tools.client.execute(tinyCalls, options));
  },
  /** Programs that call a tool with almost 2 MiB of arguments. */
  largeCalls: (tools) => {
    const options = { tools: { take } } as const;
    return callers(4, tools, () => tools.client.execute(largeCalls, options));
  },
  /** Requests that declare 1,000 tools each, new ones each time, with almost 4 MiB of schemas. */
  async declarations(tools) {
    let round = 0;
    const declare = () => {
      const prefix = `tool_${round++}`;
      return tools.client.stream("1 + 1", { tools: manyTools(prefix) }).outcome;
    };
    await callers(4, tools, declare);
  },
  /** Programs that hold the tenant's slots and its part of the queue, and calls that find no place. */
  fullQueue: ({ client, tally, ...rest }) => {
    const { signal } = rest;
    const options = { limits: longest, signal };
    const holders = Array.from({ length: overload.slots + overload.queue }, () =>
      tally.take(() => client.execute("import time\ntime.sleep(110)", options)),
    );
    const refused = untilRefused({ client, tally, ...rest });
    return Promise.all([refused, ...holders]).then(() => {});
  },
  /** More calls than the tenant may make in a minute. */
  overRate: (tools) => untilRefused(tools),
};

/** A program of JavaScript that computes for so many times 30 ms, about. */
export function computeJs(times: number): string {
  const steps = times * 200_000;
  return `let x = 0;\nfor (let i = 0; i < ${steps}; i += 1) x = (x * 31 + i) % 1_000_003;\nx`;
}

const wideSchema = {
  type: "object",
  properties: Object.fromEntries(
    Array.from({ length: 34 }, (_, n) => [
      `argument_${n}`,
      { type: "string", description: "what it is, said in so many words ".repeat(2) },
    ]),
  ),
};

function manyTools(prefix: string) {
  const tool = { description: "one of many", inputSchema: wideSchema, execute: () => null };
  return Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`${prefix}_${n}`, tool]));
}

/** Callers that go on when they are refused; under way when the first one is. */
async function untilRefused({ client, tally, signal, onUnderWay }: LoadTools): Promise<void> {
  const running = Array.from({ length: overload.callers }, async () => {
    while (!signal.aborted) await tally.take(() => client.execute(sum, { signal }));
  });
  while (tally.refused === 0 && !signal.aborted) await pause(20);
  onUnderWay();
  await Promise.all(running);
}

/** So many callers, each calling again as soon as it has its answer. */
async function callers(
  count: number,
  { tally, signal, onUnderWay }: LoadTools,
  call: () => ReturnType<Codemode["execute"]>,
): Promise<void> {
  const running = Array.from({ length: count }, async () => {
    while (!signal.aborted) await tally.take(call);
  });
  await pause(500); // the first of them are past what they do only once
  onUnderWay();
  await Promise.all(running);
}
