import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { connectClient, type TestClient } from "../support/client.ts";
import { idleFaults, strike } from "../support/idle-faults.ts";
import { startServiceProcess } from "../support/service-process.ts";
import { certFile, identity } from "../support/tls/localhost.ts";
import { startToolService, value } from "../support/tool-service.ts";

/** What the program has to say of its calls. */
async function answerOf({ executor }: TestClient, code = "tool"): Promise<unknown> {
  const { execution } = await executor.execute({ request: { code, toolServices: ["crm"] } });
  const { result } = execution?.outcome ?? {};
  return result?.case === "success" ? JSON.parse(result.value.resultJson ?? "") : result;
}

it.each([
  ["the clear", false, {}],
  ["TLS", { ca_file: certFile }, identity],
] as const)(
  "a service's process outlives whatever becomes of its idle connection to a tool service, and calls again: %s",
  async (_wire, tls, served) => {
    let afterAnswer = () => {};
    const call = () => {
      // The answer is before it.
      void setImmediate().then(afterAnswer);
      return value(1);
    };
    const list = () => [{ name: "wait", idempotent: true }];
    await using tools = await startToolService({ tools: list, call }, served);
    const crm = { target: tools.target, tls };
    const env = { CODEMODE_TOOL_SERVICES: JSON.stringify({ crm }) };
    await using service = await startServiceProcess({ env });
    using client = connectClient(service.url);
    expect(await answerOf(client)).toBe("1");
    for (const [title, fault] of idleFaults) {
      strike(tools.connections, fault);
      expect(await answerOf(client), title).toBe("1");
    }
    expect(tools.connections.length).toBeGreaterThan(1);
    // The next call comes while the end of the session is under way, or after it.
    afterAnswer = () => strike(tools.connections, ({ session }) => session.goaway());
    for (let times = 0; times < 5; times++) {
      expect(await answerOf(client, "tool again and again")).toBe("answered");
    }
    service.kill("SIGTERM");
    expect(await service.ended).toBe(0);
  },
  60_000,
);
