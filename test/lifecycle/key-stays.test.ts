import { expect, it } from "vitest";
import { connectClient, failure } from "../support/client.ts";
import { createScriptedExecutor, type Script } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";
import { startToolService, value } from "../support/tool-service.ts";

const key = "key-that-stays-here";
const find: Script = ({ call }) => call("find", '{"id":7}');

it.each([
  ["x-api-key", { "x-api-key": key }],
  ["authorization", { authorization: `Bearer ${key}` }],
  ["both", { "x-api-key": key, authorization: `Bearer ${key}` }],
])("a key in %s reaches neither the log nor a tool service", async (_where, headers) => {
  await using service = await startToolService({
    tools: () => [{ name: "find" }],
    call: () => value({ name: "Ada" }),
  });
  await using server = await startServer({
    executors: [createScriptedExecutor({ find })],
    settings: {
      api_keys: [{ key, tenant: "acme" }],
      tool_services: { crm: { target: service.target, api_key: "crm-key" } },
    },
  });
  using client = connectClient(server.url);
  const request = { code: "find", toolServices: ["crm"] };
  const { execution } = await client.executor.execute({ request }, { headers });
  expect(execution?.outcome?.result.case).toBe("success");
  // One that is refused is logged on another way.
  const refused = Object.fromEntries(Object.entries(headers).map(([name, it]) => [name, `${it}?`]));
  await failure(client.executor.execute({ request }, { headers: refused }));

  const codes = server.log.filter(({ msg }) => msg === "call").map(({ code }) => code);
  expect(codes).toEqual(["ok", "unauthenticated"]);
  expect(JSON.stringify(server.log)).not.toContain(key);
  expect(service.calls).toHaveLength(1);
  expect(service.lists.length).toBeGreaterThan(0);
  const received = [...service.calls.map(({ header }) => header), ...service.lists];
  for (const header of received) {
    expect(header.get("authorization")).toBe("Bearer crm-key");
    expect(header.has("x-api-key")).toBe(false);
    expect(JSON.stringify([...header])).not.toContain(key);
  }
});
