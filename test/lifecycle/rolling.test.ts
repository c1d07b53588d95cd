import { expect, it, vi } from "vitest";
import { Codemode, unwrap } from "../../src/index.ts";
import { connectClient } from "../support/client.ts";
import { connectGrpcJs } from "../support/grpc-js-client.ts";
import {
  countStarts,
  type ServiceProcess,
  type Starts,
  startServiceProcess,
} from "../support/service-process.ts";

const patient = { timeout: 60_000, interval: 20 };
const drainMs = 60_000;

/** Runs one program of that name; rejects where its call fails. Resolves with its value. */
type Run = (code: string, run: string) => Promise<unknown>;

/** A client of two replicas. */
interface BalancedClient extends AsyncDisposable {
  readonly run: Run;
}

function grpcJs(ports: readonly number[]): BalancedClient {
  const client = connectGrpcJs({ port: ports }, ["UNAVAILABLE"]);
  return {
    async run(code, run) {
      const { response, error } = await client.execute(code, { context: { run } });
      if (error !== undefined) throw error;
      const result = response?.execution?.outcome?.result;
      return result?.case === "success" ? result.value.resultText : result;
    },
    [Symbol.asyncDispose]: async () => client[Symbol.dispose](),
  };
}

function sdk(ports: readonly number[]): BalancedClient {
  const url = ports.map((port) => `http://127.0.0.1:${port}`);
  const codemode = Codemode.connect({ url, timeoutMs: drainMs });
  return {
    run: async (code, run) => unwrap(await codemode.execute(code, { context: { run } })),
    [Symbol.asyncDispose]: () => codemode[Symbol.asyncDispose](),
  };
}

/** Six callers that run one short program after the other until they are told to stop. */
function startLoad(run: Run) {
  const values: unknown[] = [];
  const failures: unknown[] = [];
  let isOver = false;
  let count = 0;
  const callers = Array.from({ length: 6 }, async () => {
    while (!isOver) {
      count += 1;
      try {
        values.push(await run("short", `short-${count}`));
      } catch (error) {
        failures.push(error);
      }
    }
  });
  return {
    values,
    failures,
    /** Resolves when so many more programs have been run. */
    async more(programs: number) {
      const enough = values.length + programs;
      await vi.waitFor(() => {
        expect(failures).toEqual([]);
        expect(values.length).toBeGreaterThanOrEqual(enough);
      }, patient);
    },
    async stop() {
      isOver = true;
      await Promise.all(callers);
    },
  };
}

/** Restarts a replica as an orderly deployment does: SIGTERM, its end, and a successor on its port. */
async function restart(
  old: ServiceProcess,
  { starts, load }: { readonly starts: Starts; readonly load: ReturnType<typeof startLoad> },
): Promise<ServiceProcess> {
  // A program that keeps it draining while the load goes on.
  using client = connectClient(old.url);
  const run = `held-${old.port}`;
  const held = client.executor.execute({ request: { code: "held", context: { run } } });
  await starts.until(run);
  old.kill("SIGTERM");
  await vi.waitFor(() => expect(old.log.some(({ msg }) => msg === "draining")).toBe(true), patient);
  await load.more(60);
  old.release();
  expect((await held).execution?.outcome?.result.case).toBe("success");
  expect(await old.ended).toBe(0);
  return await startServiceProcess({ port: old.port, starts });
}

it.each([
  ["grpc-js, which takes turns", grpcJs],
  ["the SDK, with a list of urls", sdk],
])(
  "a rolling restart of two replicas under load fails no call of %s",
  async (_title, connect) => {
    await using starts = await countStarts();
    await using first = await startServiceProcess({ starts });
    await using second = await startServiceProcess({ starts });
    await using client = connect([first.port, second.port]);
    const load = startLoad(client.run);
    try {
      await load.more(30);
      await using firstAgain = await restart(first, { starts, load });
      await load.more(30);
      await using secondAgain = await restart(second, { starts, load });
      await load.more(30);
      await load.stop();
      const served = [firstAgain, secondAgain].map(({ log }) =>
        log.some(({ msg }) => msg === "call"),
      );
      // Where a client goes while both are up is its own choice, but nobody was left alone for good.
      expect(served).toContain(true);
    } finally {
      await load.stop();
    }
    expect(load.failures).toEqual([]);
    expect(new Set(load.values)).toEqual(new Set(["short"]));
    const counts = await starts.all();
    expect([...counts].filter(([, count]) => count !== 1)).toEqual([]);
  },
  120_000,
);
