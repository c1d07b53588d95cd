import http2 from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ExecuteInteractiveRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { toDuration } from "../../src/shared/wire/time.ts";
import { setUpTenants } from "../support/attach-setup.ts";
import { envelope } from "../support/client.ts";
import type { Script } from "../support/scripted-executor.ts";
import { attachStream } from "../support/streams.ts";

const ask: Script = ({ call }) => call("weather", '{"n":1}');

it("a tool host that closes its side a moment before its reset leaves its call to the next", async () => {
  await using t = await setUpTenants({ ask });
  const session = http2.connect(t.server.url);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": "/codemode.v1.ExecutorService/ExecuteInteractive",
      "content-type": "application/grpc",
      te: "trailers",
      authorization: "Bearer acme-key",
    });
    stream.on("error", () => {});
    const request = {
      code: "ask",
      tools: [{ name: "weather" }],
      keepWithoutReader: toDuration(60_000),
      correlationId: "half-close",
    };
    const message = { case: "start", value: { request } } as const;
    const schema = ExecuteInteractiveRequestSchema;
    stream.write(envelope(toBinary(schema, create(schema, { message }))));
    const list = () => t.acme.executor.listExecutions({ correlationId: "half-close" });
    await expect.poll(async () => (await list()).executions[0]?.state).toBe(2);
    stream.end();
    // As far apart as they were seen on a busy machine: the two come in different reads.
    await sleep(20);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    const executionId = (await list()).executions[0]?.executionId ?? "";
    await sleep(300);
    const next = await attachStream(t.acme, { executionId, answerTools: true });
    expect(next.attached.openCalls).toMatchObject([{ tool: "weather" }]);
    next.drop();
    await t.acme.executor.cancelExecution({ executionId });
  } finally {
    session.destroy();
  }
});
