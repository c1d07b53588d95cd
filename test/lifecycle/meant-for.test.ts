import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { instanceTrailer } from "../../src/shared/status.ts";
import { connectClient } from "../support/client.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

describe("a call that names the instance that it is meant for", () => {
  it("is taken by that one", async () => {
    await using executor = createScriptedExecutor({ one: () => 1 });
    await using server = await startServer({ executors: [executor] });
    using client = connectClient(server.url);
    const headers = { [instanceTrailer]: server.info().instanceId };
    const { execution } = await client.executor.execute({ request: { code: "one" } }, { headers });
    expect(execution?.outcome?.result.case).toBe("success");
  });

  it("is refused by any other before anything runs, with its own name", async () => {
    await using executor = createScriptedExecutor({ one: () => 1 });
    await using server = await startServer({ executors: [executor] });
    using client = connectClient(server.url);
    const headers = { [instanceTrailer]: "another" };
    const request = { code: "one" };
    const calls = [
      client.executor.execute({ request }, { headers }),
      client.executor.executeStream({ request }, { headers })[Symbol.asyncIterator]().next(),
      client.executor
        .executeInteractive(
          (async function* () {
            yield { message: { case: "start", value: { request } } } as const;
          })(),
          { headers },
        )
        [Symbol.asyncIterator]()
        .next(),
    ];
    const errors = await Promise.all(
      calls.map((call) => call.then(() => undefined, ConnectError.from)),
    );
    for (const error of errors) {
      expect(error?.code).toBe(Code.Unavailable);
      expect(error?.metadata.get(instanceTrailer)).toBe(server.info().instanceId);
    }
    expect(executor.started).toEqual([]);
  });
});
