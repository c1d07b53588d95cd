import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { FailureReason } from "../../gen/es/codemode/v1/execution_pb.ts";
import { HealthCheckResponse_ServingStatus as Status } from "../../gen/es/health/v1/health_pb.ts";
import { connectClient, failure } from "../support/client.ts";
import { createScriptedExecutor, forever } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const request = { code: "forever" };

describe("health", () => {
  it("is told for the server, for its service, and for no other", async () => {
    await using server = await startServer({ executors: [createScriptedExecutor({})] });
    using client = connectClient(server.url);
    const { health } = client;
    for (const service of ["", "codemode.v1.ExecutorService"])
      expect((await health.check({ service })).status).toBe(Status.SERVING);
    expect((await failure(health.check({ service: "other" }))).code).toBe(Code.NotFound);
    expect(Object.keys((await health.list({})).statuses)).toEqual([
      "",
      "codemode.v1.ExecutorService",
    ]);
    for await (const { status } of health.watch({ service: "other" })) {
      expect(status).toBe(Status.SERVICE_UNKNOWN);
      break;
    }
  });

  it("turns while a drain goes on, for a check and for a watch, which the end closes", async () => {
    const release = Promise.withResolvers<void>();
    const scripted = createScriptedExecutor({ held: () => release.promise });
    await using server = await startServer({ executors: [scripted] });
    using client = connectClient(server.url);
    const seen: Status[] = [];
    const watching = (async () => {
      for await (const { status } of client.health.watch({})) seen.push(status);
    })();
    await vi.waitFor(() => expect(seen).toEqual([Status.SERVING]));
    const started = scripted.untilStarted("held");
    const held = client.executor.execute({ request: { code: "held" } });
    await started;
    const drained = server.drain();
    await vi.waitFor(() => expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]));
    expect((await client.health.check({})).status).toBe(Status.NOT_SERVING);
    release.resolve();
    await Promise.all([held, drained]);
    await server[Symbol.asyncDispose]();
    await watching;
  });
});

describe("a drain", () => {
  it("refuses new programs as safe to retry, and lets those that run end", async () => {
    const release = Promise.withResolvers<string>();
    const scripted = createScriptedExecutor({ held: () => release.promise });
    await using server = await startServer({ executors: [scripted] });
    using client = connectClient(server.url);
    const started = scripted.untilStarted("held");
    const held = client.executor.execute({ request: { code: "held" } });
    await started;
    const drained = server.drain();
    const refused = await failure(client.executor.execute({ request: { code: "held" } }));
    expect(refused.code).toBe(Code.Unavailable);
    release.resolve("done");
    await drained;
    expect((await held).execution?.outcome?.result).toMatchObject({
      case: "success",
      value: { resultText: "done" },
    });
    expect(scripted.started).toEqual(["held"]);
  });

  it("gives up after its time; the end then ends the program, with an outcome that says so", async () => {
    const scripted = createScriptedExecutor({ forever });
    await using server = await startServer({ executors: [scripted], settings: { drain_ms: 50 } });
    using client = connectClient(server.url);
    const started = scripted.untilStarted("forever");
    const answer = client.executor.execute({ request });
    await started;
    await server.drain();
    expect(scripted.alive).toBe(1);
    await server[Symbol.asyncDispose]();
    expect((await answer).execution?.outcome?.result).toMatchObject({
      case: "failure",
      value: { reason: FailureReason.ABANDONED },
    });
    expect(scripted.alive).toBe(0);
  });
});

describe("disposing", () => {
  it("does nothing the second time", async () => {
    const server = await startServer({ executors: [createScriptedExecutor({})] });
    await server[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await server.drain();
  });

  it("while programs run or wait ends them all, and every caller gets its answer", async () => {
    const scripted = createScriptedExecutor({ forever });
    await using server = await startServer({ executors: [scripted], settings: { slots: 2 } });
    using client = connectClient(server.url);
    const streamed = (async () => {
      const seen: (string | undefined)[] = [];
      for await (const { event } of client.executor.executeStream({ request }))
        seen.push(event?.event.case);
      return seen;
    })();
    await vi.waitFor(() => expect(scripted.alive).toBe(1));
    const running = client.executor.execute({ request });
    await vi.waitFor(() => expect(scripted.alive).toBe(2));
    const waiting = failure(client.executor.execute({ request }));
    await vi.waitFor(() => expect(server.stats().queued).toBe(1));
    await server[Symbol.asyncDispose]();
    expect(await streamed).toEqual(["started", "finished"]);
    expect((await running).execution?.outcome?.result.case).toBe("failure");
    expect((await waiting).code).toBe(Code.Unavailable);
    expect(server.stats()).toMatchObject({ inUse: 0, queued: 0, connections: 0 });
  });
});
