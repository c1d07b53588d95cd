import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/server/config.ts";
import { createServer } from "../../src/server/server.ts";
import { connectClient, failure } from "../support/client.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const request = { code: "one" };
const scripts = { one: () => 1 };
const api_keys = [
  { key: "key-of-acme", tenant: "acme" },
  { key: "key-of-globex", tenant: "globex" },
];

describe("api keys", () => {
  it("let a call in as their tenant", async () => {
    const executors = [createScriptedExecutor(scripts)];
    await using server = await startServer({ executors, settings: { api_keys } });
    using client = connectClient(server.url, "key-of-globex");
    await client.executor.execute({ request });
    expect(server.log.at(-1)).toMatchObject({ tenant: "globex", code: "ok" });
  });

  it.each([
    ["wrong", "key-of-acme2"],
    ["missing", undefined],
  ])(
    "keep a call out when %s, with a line in the log and before anything runs",
    async (_title, key) => {
      const scripted = createScriptedExecutor(scripts);
      await using server = await startServer({ executors: [scripted], settings: { api_keys } });
      using client = connectClient(server.url, key);
      for (const call of [
        () => client.executor.execute({ request }),
        () => client.executor.getServerInfo({}),
        async () => {
          for await (const _ of client.executor.executeStream({ request }));
        },
      ]) {
        const error = await failure(call());
        expect(error.code).toBe(Code.Unauthenticated);
        expect(error.metadata.get("x-correlation-id")).toMatch(/./);
        expect(server.log.at(-1)).toMatchObject({ msg: "call", code: "unauthenticated" });
        expect(server.log.at(-1)).not.toHaveProperty("tenant");
      }
      expect(server.log.filter(({ msg }) => msg === "call")).toHaveLength(3);
      expect(scripted.started).toEqual([]);
    },
  );

  it("are checked before a body is read", async () => {
    await using server = await startServer({
      executors: [createScriptedExecutor(scripts)],
      settings: { api_keys },
    });
    // A body that never ends: only a look at the headers can answer.
    const response = await fetch(`${server.url}/codemode.v1.ExecutorService/Execute`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new ReadableStream({
        start: (body) => body.enqueue(new TextEncoder().encode("{")),
      }),
      duplex: "half",
    } as RequestInit);
    expect(response.status).toBe(401);
    await response.body?.cancel();
  });

  it("are not needed for health", async () => {
    await using server = await startServer({
      executors: [createScriptedExecutor(scripts)],
      settings: { api_keys },
    });
    using client = connectClient(server.url);
    expect(await client.health.check({})).toMatchObject({ status: 1 });
  });

  it("keep one tenant's executions out of another's reach", async () => {
    const release = Promise.withResolvers<void>();
    const scripted = createScriptedExecutor({ held: () => release.promise });
    await using server = await startServer({ executors: [scripted], settings: { api_keys } });
    using acme = connectClient(server.url, "key-of-acme");
    using globex = connectClient(server.url, "key-of-globex");
    for await (const { event } of acme.executor.executeStream({ request: { code: "held" } })) {
      if (event?.event.case !== "started") continue;
      const { executionId } = event.event.value;
      const error = await failure(globex.executor.cancelExecution({ executionId }));
      expect(error.code).toBe(Code.NotFound);
      expect(scripted.alive).toBe(1);
      release.resolve();
    }
  });
});

it("does not start without keys on an address that others can reach", async () => {
  const config = parseConfig({ host: "0.0.0.0", port: 0, log_level: "silent" });
  await expect(createServer(config, { executors: [] })).rejects.toThrow(
    "no api keys are configured, so only a loopback address may be served, not 0.0.0.0",
  );
});

it("says in the log that it serves loopback only where no keys are configured", async () => {
  await using server = await startServer({ executors: [createScriptedExecutor(scripts)] });
  expect(server.log).toContainEqual(
    expect.objectContaining({ level: 40, msg: expect.stringContaining("no api keys") }),
  );
});
