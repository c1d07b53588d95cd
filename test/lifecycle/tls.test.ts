import { readFile } from "node:fs/promises";
import https from "node:https";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, it } from "vitest";
import { ExecutorService } from "../../gen/es/codemode/v1/executor_pb.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const file = (name: string) => fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));
const tls = { cert_file: file("localhost-cert.pem"), key_file: file("localhost-key.pem") };
const request = { code: "one" };

it("serves gRPC and HTTP/1.1 over TLS on one port", async () => {
  const executors = [createScriptedExecutor({ one: () => 1 })];
  await using server = await startServer({ executors, settings: { tls } });
  expect(server.url).toMatch(/^https:/);
  const ca = await readFile(tls.cert_file);

  const transport = createGrpcTransport({ baseUrl: server.url, nodeOptions: { ca } });
  const answer = await createClient(ExecutorService, transport).execute({ request });
  expect(answer.execution?.outcome?.result.case).toBe("success");

  const body = await new Promise((resolve, reject) => {
    const sent = https.request(`${server.url}/codemode.v1.ExecutorService/Execute`, {
      method: "POST",
      ca,
      agent: false,
      headers: { "content-type": "application/json" },
    });
    sent.on("response", (response) => json(response).then(resolve, reject));
    sent.on("error", reject);
    sent.end(JSON.stringify({ request }));
  });
  expect(body).toMatchObject({ execution: { outcome: { success: { resultJson: "1" } } } });
});

it("does not start without its certificate", async () => {
  const settings = { tls: { ...tls, cert_file: "/nowhere/cert.pem" } };
  await expect(startServer({ executors: [], settings })).rejects.toThrow("ENOENT");
});
