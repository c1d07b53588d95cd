import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { status as Status } from "@grpc/grpc-js";
import { expect, it, vi } from "vitest";
import { connectGrpcJs } from "../support/grpc-js-client.ts";
import { createScriptedExecutor, type Script } from "../support/scripted-executor.ts";
import { startServer, type TestServer } from "../support/server.ts";

it("is read by another implementation: a unary result, its trailers, and a stream", async () => {
  const scripted = createScriptedExecutor({
    hello: async ({ print }) => {
      await print("hello\n");
      return { n: 4 };
    },
  });
  await using server = await startServer({ executors: [scripted] });
  using client = connectGrpcJs(server.address, ["UNAVAILABLE"]);
  const { response, status } = await client.execute("hello", {
    metadata: { "x-correlation-id": "trace-1" },
  });
  expect(response?.stdout).toBe("hello\n");
  expect(response?.execution?.outcome?.result).toMatchObject({
    case: "success",
    value: { resultJson: '{"n":4}' },
  });
  expect(status.metadata.get("x-correlation-id")).toEqual(["trace-1"]);
  expect(status.metadata.get("x-execution-id")).toEqual([response?.execution?.executionId]);
  const events: (string | undefined)[] = [];
  for await (const { event } of client.executeStream("hello")) events.push(event?.event.case);
  expect(events).toEqual(["started", "output", "finished"]);
});

it("lets a retry policy run a call again that was refused for want of a slot", async () => {
  const release = Promise.withResolvers<void>();
  const scripted = createScriptedExecutor({ held: () => release.promise, one: () => 1 });
  await using server = await startServer({
    executors: [scripted],
    settings: { slots: 1, queue_size: 0 },
  });
  using client = connectGrpcJs(server.address, ["RESOURCE_EXHAUSTED"]);
  const holding = scripted.untilStarted("held");
  const held = client.execute("held");
  await holding;
  const answer = client.execute("one");
  await vi.waitFor(() => expect(codes(server)).toContain("resource_exhausted"));
  release.resolve();
  expect((await answer).error).toBeUndefined();
  expect((await held).error).toBeUndefined();
  // The two that went well, and every attempt that was refused.
  expect(codes(server).length).toBeGreaterThanOrEqual(3);
  expect(codes(server).filter((code) => code === "ok")).toHaveLength(2);
  expect(scripted.started).toEqual(["held", "one"]);
});

it("lets a retry policy carry a call over from a draining server to its successor", async () => {
  const scripted = createScriptedExecutor({ one: () => 1 });
  await using server = await startServer({ executors: [scripted] });
  using client = connectGrpcJs(server.address, ["UNAVAILABLE"]);
  // A connection from before: a new one it would not get to use.
  await client.execute("one");
  await server.drain();
  const answer = client.execute("one");
  await vi.waitFor(() => expect(codes(server)).toContain("unavailable"));
  await server[Symbol.asyncDispose]();
  await using successor = await startServer({
    executors: [scripted],
    settings: { port: server.address.port },
  });
  expect((await answer).error).toBeUndefined();
  expect(codes(successor)).toEqual(["ok"]);
  expect(scripted.started).toEqual(["one", "one"]);
});

it("does not run a call again that failed after its start", async () => {
  const lost: Script = () => 1;
  const scripted = createScriptedExecutor({ lost });
  const executor = {
    ...scripted,
    run(...args: Parameters<typeof scripted.run>) {
      const run = scripted.run(...args);
      return {
        ...run,
        async *[Symbol.asyncIterator]() {
          for await (const event of run) {
            if (event.type !== "started") throw new Error("the engine broke");
            yield event;
          }
        },
      };
    },
  };
  await using server = await startServer({ executors: [executor] });
  const retried = ["UNAVAILABLE", "ABORTED", "INTERNAL", "UNKNOWN"];
  using client = connectGrpcJs(server.address, retried);
  const { error, status } = await client.execute("lost");
  expect(error?.code).toBe(Status.ABORTED);
  expect(status.metadata.get("grpc-retry-pushback-ms")).toEqual(["-1"]);
  expect(scripted.started).toEqual(["lost"]);
});

it.each([
  { kind: "committing", runs: 1 },
  // The control: without the commitment the policy runs a started program again.
  { kind: "bare", runs: 2 },
])(
  "runs a program $runs time(s) when a $kind server is killed during Execute",
  async ({ kind, runs }) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "codemode-kill-"));
    const file = path.join(folder, "runs");
    await writeFile(file, "");
    const count = async () => (await readFile(file, "utf8")).split("\n").length - 1;
    const servers: ChildProcess[] = [];
    try {
      const first = await spawnServer(0, file, kind, servers);
      using client = connectGrpcJs({ port: first.port }, ["UNAVAILABLE"]);
      const answer = client.execute("count");
      await vi.waitFor(async () => expect(await count()).toBe(1), { timeout: 5_000 });
      first.process.kill("SIGKILL");
      await once(first.process, "exit");
      await spawnServer(first.port, file, kind, servers);
      if (runs === 1) {
        const { error } = await answer;
        expect(error?.code).toBe(Status.UNAVAILABLE);
      } else {
        await vi.waitFor(async () => expect(await count()).toBe(runs), { timeout: 10_000 });
      }
      expect(await count()).toBe(runs);
    } finally {
      for (const server of servers) server.kill("SIGKILL");
      await rm(folder, { recursive: true });
    }
  },
);

async function spawnServer(port: number, file: string, kind: string, servers: ChildProcess[]) {
  const fixture = fileURLToPath(new URL("fixtures/counting-server.ts", import.meta.url));
  const child = spawn(process.execPath, [fixture, String(port), file, kind], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  servers.push(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { process: child, port: Number(String(line)) };
}

/** Status codes of the calls that the server answered, in order. */
function codes(server: TestServer): unknown[] {
  return server.log.filter(({ msg }) => msg === "call").map(({ code }) => code);
}
