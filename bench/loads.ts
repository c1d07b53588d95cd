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
  | "declarations"
  | "fullQueue"
  | "overRate";

/** What a tenant may have where its calls are to be refused. */
export const overload = { slots: 4, queue: 4, perMinute: 300, callers: 32 } as const;

const sum = "result = 2 + 2";
const crash = "import ctypes\nctypes.string_at(0)";
const print = `line = "x" * 999\nfor _ in range(100_000): print(line)`;
const alternate = "for (;;) { console.log(''); console.error(''); }";
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
