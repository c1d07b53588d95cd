import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { ExecuteRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { RetryInfoSchema } from "../../gen/es/google/rpc/error_details_pb.ts";
import type { ExecutorInfo } from "../../src/executors/executor.ts";
import { Codemode } from "../../src/index.ts";
import { connectClient, envelope, failure, rawRequest } from "../support/client.ts";
import { createScriptedExecutor, forever } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";
import { startStream } from "../support/streams.ts";

/** A server whose engine is up, or is started again, or never was up, as the test says. */
async function setUp(settings = {}) {
  const scripted = createScriptedExecutor({ four: () => 4, forever });
  let state: Partial<ExecutorInfo> = {};
  const executor = { ...scripted, info: (): ExecutorInfo => ({ ...scripted.info(), ...state }) };
  const server = await startServer({ executors: [executor], settings });
  const client = connectClient(server.url);
  return {
    server,
    client,
    executor: scripted,
    set(next: Partial<ExecutorInfo>) {
      state = next;
    },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const restarting = { up: false, reason: "the zygote died", isRestarting: true };
const four = { request: { code: "four" } };
const message = "the engine of python is being started again: scripted is not up: the zygote died";

describe("a program whose engine is being started again", () => {
  it("is refused as safe to retry, with the time, before anything is sent", async () => {
    await using t = await setUp();
    t.set(restarting);
    const status = await failure(t.client.executor.execute(four));
    expect(status).toMatchObject({ code: Code.Unavailable, rawMessage: message });
    expect(status.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n } }]);
    const { frames } = await rawRequest(
      t.server.url,
      { ":path": "/codemode.v1.ExecutorService/Execute", "content-type": "application/grpc" },
      envelope(toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, four))),
    );
    expect(frames).toMatchObject([{ isEnd: true, headers: { "grpc-status": "14" } }]);
  });

  it("is refused as safe to retry, too, when it waited meanwhile", async () => {
    await using t = await setUp({ slots: 1 });
    const blocker = startStream(t.client, { code: "forever" });
    await blocker.until("started");
    const waiting = failure(t.client.executor.execute(four));
    await vi.waitFor(() => expect(t.server.stats().queued).toBe(1));
    t.set(restarting);
    blocker.drop();
    expect(await waiting).toMatchObject({ code: Code.Unavailable, rawMessage: message });
  });

  it("is run once by the SDK when it is up again", async () => {
    await using t = await setUp();
    await using codemode = Codemode.connect({ url: t.server.url });
    t.set(restarting);
    const answer = codemode.execute("four");
    const isRefused = () => t.server.log.some(({ code }) => code === "unavailable");
    await vi.waitFor(() => expect(isRefused()).toBe(true));
    t.set({});
    expect(await answer).toMatchObject({ value: 4 });
    expect(t.executor.started).toEqual(["four"]);
  });
});

it("a program whose engine never came up is not supported, and not to be tried again", async () => {
  await using t = await setUp();
  t.set({ up: false, reason: "no landlock" });
  const status = await failure(t.client.executor.execute(four));
  expect(status).toMatchObject({
    code: Code.Unimplemented,
    rawMessage: "no engine runs python: scripted is not up: no landlock",
  });
});
