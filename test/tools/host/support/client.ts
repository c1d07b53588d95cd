import { once } from "node:events";
import net from "node:net";
import type { ToolDeclaration } from "../../../../src/shared/model.ts";
import {
  createToolServiceClient,
  type ToolServiceClientOptions,
} from "../../../../src/tools/tool-service-client.ts";
import { toolOf } from "../../../support/requests.ts";

/** What every call tells of its execution. */
export const scope = {
  context: { client_id: "acme", deep: { n: 1.5 } },
  executionId: "e-1",
  correlationId: "c-1",
  traceparent: undefined,
};

/** A client with short times. */
export function clientOf(
  url: string,
  options: Partial<ToolServiceClientOptions> = {},
  apiKey?: string,
) {
  return createToolServiceClient(
    { name: "crm", url, apiKey, pingIntervalMs: 300_000, tls: {} },
    {
      payloadBytes: 2 * 1024 * 1024,
      listMaxAgeMs: 60_000,
      listFreshMs: 0,
      listTimeoutMs: 1_000,
      retry: { maxAttempts: 3, baseMs: 1, maxMs: 1, jitter: 0 },
      ...options,
    },
  );
}

/** A call of the tool "find", with 5 s to go. */
export function callOf(fields: Partial<ToolDeclaration> = {}, ms = 5_000) {
  const tool = toolOf("find", fields);
  const endsAt = performance.now() + ms;
  return { scope, tool, callId: "7", argumentsJson: '{"id":9007199254740993}', endsAt };
}

/** A port where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
