import { once } from "node:events";
import { readFile } from "node:fs/promises";
import https from "node:https";
import net from "node:net";
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

it("serves a caller over TLS who said hello while strangers of its network were before it", async () => {
  const executors = [createScriptedExecutor({ one: () => 1 })];
  await using server = await startServer({ executors, settings: { tls } });
  // More than are let in at once.
  const strangers = Array.from({ length: 120 }, () =>
    net.connect(Number(new URL(server.url).port), "127.0.0.1").on("error", () => {}),
  );
  await Promise.all(strangers.map((stranger) => once(stranger, "connect")));
  const ca = await readFile(tls.cert_file);
  const transport = createGrpcTransport({ baseUrl: server.url, nodeOptions: { ca } });
  const answer = await createClient(ExecutorService, transport).execute({ request });
  expect(answer.execution?.outcome?.result.case).toBe("success");
  for (const stranger of strangers) stranger.destroy();
});

it("does not start without its certificate", async () => {
  const settings = { tls: { ...tls, cert_file: "/nowhere/cert.pem" } };
  await expect(startServer({ executors: [], settings })).rejects.toThrow("ENOENT");
});
