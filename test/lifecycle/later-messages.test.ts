import http2 from "node:http2";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it, vi } from "vitest";
import { ExecuteInteractiveRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { toDuration } from "../../src/shared/wire/time.ts";
import { connectClient, envelope } from "../support/client.ts";
import { createScriptedExecutor, type Script } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const patient = { timeout: 10_000 };
const caller: Script = async ({ call }) => JSON.stringify(await call("weather", "{}"));
const request = {
  code: "caller",
  tools: [{ name: "weather" }],
  keepWithoutReader: toDuration(60_000),
};

/** An interactive stream whose frames the test sends itself. */
function openRaw(session: http2.ClientHttp2Session) {
  const stream = session.request({
    ":method": "POST",
    ":path": "/codemode.v1.ExecutorService/ExecuteInteractive",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  const headers = new Promise((resolve) => stream.once("response", resolve));
  const trailers = new Promise<http2.IncomingHttpHeaders>((resolve) =>
    stream.once("trailers", resolve),
  );
  stream.resume();
  const bytesOf = (message: MessageInitShape<typeof ExecuteInteractiveRequestSchema>["message"]) =>
    envelope(
      toBinary(
        ExecuteInteractiveRequestSchema,
        create(ExecuteInteractiveRequestSchema, { message } as never),
      ),
    );
  stream.write(bytesOf({ case: "start", value: { request } }));
  const resultJson = JSON.stringify("x".repeat(200_000));
  const answer = bytesOf({
    case: "toolResult",
    value: { callId: "1", result: { case: "resultJson", value: resultJson } },
  });
  return { stream, headers, trailers, answer };
}

describe("the answers of a caller, half sent", () => {
  it("count as what is on its way, and are refused beyond it, not safe to retry", async () => {
    const executor = createScriptedExecutor({ caller });
    await using server = await startServer({
      executors: [executor],
      settings: { tenant_transit_bytes: 300_000 },
    });
    using client = connectClient(server.url);
    const session = http2.connect(server.url);
    const [first, second] = [openRaw(session), openRaw(session)];
    await Promise.all([first.headers, second.headers]);
    first.stream.write(first.answer.subarray(0, 160_000));
    await vi.waitFor(() => expect(server.stats().transitBytes).toBe(160_000), patient);
    second.stream.write(second.answer.subarray(0, 160_000));
    expect(await second.trailers).toMatchObject({
      "grpc-status": "8",
      "grpc-message": expect.stringContaining("half%20received"),
      "grpc-retry-pushback-ms": "-1",
    });
    // Its program is kept; the one whose answer was there before gets it whole.
    first.stream.end(first.answer.subarray(160_000));
    expect(await first.trailers).toMatchObject({ "grpc-status": "0" });
    expect(executor.alive).toBe(1);
    const { executions } = await client.executor.listExecutions({});
    for (const { executionId } of executions)
      await client.executor.cancelExecution({ executionId });
    session.destroy();
  });
});
