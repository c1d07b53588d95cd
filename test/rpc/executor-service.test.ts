import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { fromEventMessage } from "../../src/shared/wire/event.ts";
import { fromServerInfoMessage } from "../../src/shared/wire/server-info.ts";
import { collect } from "../support/collect.ts";
import type { Script } from "../support/scripted-executor.ts";
import { serverInfo, setUpService as setUp, statusOf } from "../support/service.ts";

describe("ExecuteStream", () => {
  it("sends the log, each event as it happens", async () => {
    const gate = Promise.withResolvers<void>();
    const chat: Script = async ({ print }) => {
      await print("first\n");
      await gate.promise;
      await print("second\n");
    };
    await using t = setUp({ chat });
    const events = [];
    for await (const { event } of t.client.executeStream({ request: { code: "chat" } })) {
      const read = event && fromEventMessage(event);
      events.push(read?.type === "output" ? read.text : read?.type);
      // The guest writes on only when the reader has seen what it wrote before.
      if (read?.type === "output") gate.resolve();
    }
    expect(events).toEqual(["started", "first\n", "second\n", "finished"]);
  });

  it("ends with the status of an execution that did not start", async () => {
    await using t = setUp();
    const events = collect(t.client.executeStream({ request: { code: "" } }));
    expect((await statusOf(events)).code).toBe(Code.InvalidArgument);
  });
});

describe("CancelExecution", () => {
  it("ends a running execution and answers with it", async () => {
    await using t = setUp();
    const stream = t.client.executeStream({ request: { code: "forever" } });
    const events = stream[Symbol.asyncIterator]();
    const { value } = await events.next();
    const started = value?.event && fromEventMessage(value.event);
    if (started?.type !== "started") throw new Error("not started");
    const { executionId } = started;

    const other = { headers: { "x-tenant": "other" } };
    const status = await statusOf(t.client.cancelExecution({ executionId }, other));
    expect(status.code).toBe(Code.NotFound);

    const { execution } = await t.client.cancelExecution({ executionId });
    expect(execution?.outcome?.result).toMatchObject({ case: "failure" });
    const last = await events.next();
    expect(last.value?.event && fromEventMessage(last.value.event)).toMatchObject({
      type: "finished",
      outcome: { error: { reason: "cancelled" } },
    });
    const again = await t.client.cancelExecution({ executionId });
    expect(again.execution).toEqual(execution);
  });

  it("says NotFound to an unknown id", async () => {
    await using t = setUp();
    const status = await statusOf(t.client.cancelExecution({ executionId: "i-7-0" }));
    expect(status.code).toBe(Code.NotFound);
  });
});

describe("GetServerInfo", () => {
  it("tells what the server is", async () => {
    await using t = setUp();
    expect(fromServerInfoMessage(await t.client.getServerInfo({}))).toEqual(serverInfo);
  });
});
