import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it, vi } from "vitest";
import {
  type ExecutionRequestSchema,
  ExecutionState,
  FailureReason,
} from "../../gen/es/codemode/v1/execution_pb.ts";
import { ExecuteStreamRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import type { Executor, GuestRun } from "../../src/executors/executor.ts";
import { connectClient, envelope } from "../support/client.ts";
import { createScriptedExecutor, forever, type Script } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";
import { startStream } from "../support/streams.ts";
import { startToolService } from "../support/tool-service.ts";

const patient = { timeout: 10_000 };
const correlationId = "the-one";

/** A server with one slot, and all that an execution can wait for. */
async function setUp() {
  const blocked = Promise.withResolvers<void>();
  const calls: Record<string, Script> = {
    service: ({ call }) => call("slow", "{}"),
    caller: ({ call }) => call("ask", "{}"),
    async printing(guest) {
      while (!guest.signal.aborted) {
        const printed = guest.print("x".repeat(100_000));
        const timer = setTimeout(blocked.resolve, 500);
        await printed;
        clearTimeout(timer);
      }
    },
  };
  const scripted = createScriptedExecutor({ forever, other: forever, four: () => 4, ...calls });
  const asked = Promise.withResolvers<void>();
  const guestless = Promise.withResolvers<void>();
  const abandoned = Promise.withResolvers<void>();
  const executor: Executor = {
    ...scripted,
    run: (program, signal): GuestRun =>
      program.code !== "guestless"
        ? scripted.run(program, signal)
        : {
            deliver() {},
            // biome-ignore lint/correctness/useYield: there is never a guest
            async *[Symbol.asyncIterator]() {
              guestless.resolve();
              await once(signal, "abort");
              abandoned.resolve();
              throw signal.reason;
            },
          },
  };
  const silent = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => asked.resolve());
  });
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const service = await startToolService({
    tools: () => [{ name: "slow" }],
    call: () => new Promise(() => {}),
  });
  const server = await startServer({
    executors: [executor],
    settings: {
      slots: 1,
      tool_services: {
        silent: { target: `127.0.0.1:${(silent.address() as net.AddressInfo).port}` },
        crm: { target: service.target },
      },
    },
  });
  const client = connectClient(server.url);
  return {
    server,
    client,
    service,
    executor: scripted,
    asked: asked.promise,
    blocked: blocked.promise,
    guestless: guestless.promise,
    abandoned: abandoned.promise,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      silent.close();
    },
  };
}

type Setup = Awaited<ReturnType<typeof setUp>>;
type Request = MessageInitShape<typeof ExecutionRequestSchema>;

/** What is to be seen at a stage, asked for before the execution is sent. */
interface Stage {
  /** Resolves when the execution has come there. */
  readonly reached: Promise<unknown>;
  /** Resolves when what is below it at this stage has been told to end. */
  readonly ended?: Promise<unknown>;
  /** Whether what it waits for has come to its own end, which would have ended it too. */
  readonly isLate?: () => boolean;
}

/** The calls of a caller that reads nothing but headers, until it goes on. */
function send(url: string, request: Request) {
  const session = http2.connect(url);
  const stream = session.request({
    ":method": "POST",
    ":path": "/codemode.v1.ExecutorService/ExecuteStream",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  const message = create(ExecuteStreamRequestSchema, { request });
  stream.end(envelope(toBinary(ExecuteStreamRequestSchema, message)));
  return {
    reset: () => stream.close(http2.constants.NGHTTP2_CANCEL),
    [Symbol.dispose]: () => session.destroy(),
  };
}

const runs = ({ executor }: Setup, code: string): Stage => ({
  reached: executor.untilStarted(code),
  ended: executor.untilKilled(code),
});

const stages: readonly (readonly [string, Request, (t: Setup) => Promise<Stage> | Stage])[] = [
  [
    "waits for the list of a tool service",
    { code: "forever", toolServices: ["silent"] },
    ({ client, asked }) => {
      // Waits for the same list, and nobody cancels it: it is over when the list is given up.
      let isLate = false;
      const beside = client.executor.execute({
        request: { code: "other", toolServices: ["silent"] },
      });
      beside
        .catch(() => {})
        .finally(() => {
          isLate = true;
        });
      const known = async () => {
        const { executions } = await client.executor.listExecutions({ correlationId });
        expect(executions).toHaveLength(1);
      };
      return {
        reached: Promise.all([asked, vi.waitFor(known, patient)]),
        isLate: () => isLate,
      };
    },
  ],
  [
    "waits for a slot",
    { code: "forever" },
    async ({ server, client, executor }) => {
      const started = executor.untilStarted("other");
      const other = startStream(client, { code: "other" });
      await started;
      const reached = vi.waitFor(() => expect(server.stats().queued).toBe(1), patient);
      const left = () => expect(server.stats().queued).toBe(0);
      const ended = reached.then(() => vi.waitFor(left, patient)).then(() => other.drop());
      return { reached, ended };
    },
  ],
  [
    "has a slot and waits for a guest",
    { code: "guestless" },
    ({ guestless, abandoned }) => ({ reached: guestless, ended: abandoned }),
  ],
  ["runs", { code: "forever" }, (t) => runs(t, "forever")],
  [
    "prints for a reader that does not read",
    { code: "printing", limits: { outputBytes: 2n ** 30n } },
    (t) => ({ ...runs(t, "printing"), reached: t.blocked }),
  ],
  [
    "waits for its caller's answer",
    { code: "caller", tools: [{ name: "ask" }] },
    (t) => runs(t, "caller"),
  ],
  [
    "waits for a tool service's answer",
    { code: "service", toolServices: ["crm"] },
    (t) => {
      const received = t.service.nextCall();
      const isAborted = async () => {
        const { signal } = await received;
        if (!signal.aborted) await once(signal, "abort");
      };
      return {
        reached: received,
        ended: Promise.all([isAborted(), t.executor.untilKilled("service")]),
      };
    },
  ],
];

const ways: readonly (readonly [string, (t: Setup, caller: { reset(): void }) => unknown])[] = [
  ["leaves", (_, caller) => caller.reset()],
  [
    "cancels it",
    async ({ client }) => {
      const { executions } = await client.executor.listExecutions({ correlationId });
      const executionId = executions[0]?.executionId ?? "";
      await client.executor.cancelExecution({ executionId });
    },
  ],
];

// How many milliseconds it takes is a row of `npm run bench`; here each end is an event.
describe.each(stages)("an execution that %s", (_stage, request, look) => {
  it.each(ways)("ends with all that is below it when its caller %s", async (_way, give) => {
    await using t = await setUp();
    const { reached, ended, isLate } = await look(t);
    using caller = send(t.server.url, { ...request, correlationId });
    await reached;
    await give(t, caller);
    await ended;
    await vi.waitFor(async () => {
      expect(t.server.stats()).toMatchObject({ inUse: 0, queued: 0, runningLogBytes: 0 });
      expect(t.executor.alive).toBe(0);
      const { executions } = await t.client.executor.listExecutions({ correlationId });
      expect(executions).toMatchObject([
        {
          state: ExecutionState.FINISHED,
          outcome: { result: { case: "failure", value: { reason: FailureReason.CANCELLED } } },
        },
      ]);
    }, patient);
    if (isLate !== undefined) expect(isLate()).toBe(false);
    const next = await t.client.executor.execute({ request: { code: "four" } });
    expect(next.execution?.outcome?.result.case).toBe("success");
  });
});
