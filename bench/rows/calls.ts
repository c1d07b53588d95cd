import { connect, openEchoStream } from "../clients.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { inBlocks, pause, summarize, timeMs } from "../stats.ts";
import { atMost, formatMs, formatRatio, type Row, times } from "../table.ts";

const code = "result = 2 + 2";

/** Echoes, and `result = 2 + 2` beside them; CPU time of each. */
export async function calls(): Promise<Row[]> {
  await using server = await startServerProcess();
  await using clients = connect(server);
  await using stream = openEchoStream(clients.echo);
  const { echo, raw, sdk } = clients;
  const tasks = {
    unary: () => echo.echo({ value: "0123456789" }),
    bidi: () => stream.turn(),
    raw: () => raw.execute({ request: { code } }),
    sdk: () => sdk.execute(code),
  };
  const shape = { perBlock: 60, skip: 4 };
  await inBlocks(tasks, { ...shape, rounds: 4 }); // warms both processes up
  const meter = new CpuMeter(server);
  const samples = await inBlocks(tasks, {
    ...shape,
    rounds: 15,
    around: (task, block) => meter.around(task, shape.perBlock, block),
  });
  const spaced = [];
  for (let call = 0; call < 100; call += 1) {
    await pause(20);
    spaced.push(await timeMs(tasks.sdk));
  }

  const unary = summarize(samples.unary);
  const beside = (name: "raw" | "sdk"): Row => {
    const summary = summarize(samples[name]);
    const ratio = summary.p50 / unary.p50;
    return {
      figure: `\`${code}\` by Execute, ${name === "raw" ? "generated client" : "SDK"}`,
      ...times(summary),
      beside: `${formatRatio(ratio)} the unary echo`,
      bar: atMost(ratio, 3, "x"),
    };
  };
  return [
    { figure: "bare unary echo", ...times(unary), beside: meter.describe("unary") },
    {
      figure: "bare bidi echo, a message and back",
      ...times(summarize(samples.bidi)),
      beside: meter.describe("bidi"),
    },
    beside("raw"),
    beside("sdk"),
    { figure: "the same by the SDK, one every 20 ms", ...times(summarize(spaced)) },
    { figure: "CPU time of one Execute, SDK", beside: meter.describe("sdk") },
  ];
}

/** CPU time of the processes that a call goes through. */
class CpuMeter {
  readonly #server: ServerProcess;
  readonly #used = new Map<
    string,
    { calls: number; client: number; server: number; guests: number }
  >();

  constructor(server: ServerProcess) {
    this.#server = server;
  }

  async around(task: string, calls: number, block: () => Promise<void>): Promise<void> {
    const before = await this.#read();
    await block();
    const after = await this.#read();
    const used = this.#used.get(task) ?? { calls: 0, client: 0, server: 0, guests: 0 };
    used.calls += calls;
    used.client += after.client - before.client;
    used.server += after.server - before.server;
    used.guests += after.guests - before.guests;
    this.#used.set(task, used);
  }

  describe(task: string): string {
    const used = this.#used.get(task);
    if (used === undefined) return "";
    const of = (ms: number) => formatMs(ms / used.calls);
    const guests = used.guests > used.calls / 10 ? `, zygote and guest ${of(used.guests)}` : "";
    return `CPU: client ${of(used.client)}, server ${of(used.server)}${guests}`;
  }

  async #read(): Promise<{ client: number; server: number; guests: number }> {
    const { user, system } = process.cpuUsage();
    const { cpuMs } = await this.#server.usage();
    return { client: (user + system) / 1_000, server: cpuMs, guests: this.#server.guestCpuMs() };
  }
}
