import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http2 from "node:http2";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it, vi } from "vitest";
import { FailureReason } from "../../gen/es/codemode/v1/execution_pb.ts";
import { ExecuteRequestSchema, ExecutorService } from "../../gen/es/codemode/v1/executor_pb.ts";
import { RetryInfoSchema } from "../../gen/es/google/rpc/error_details_pb.ts";
import { HealthCheckResponse_ServingStatus as Status } from "../../gen/es/health/v1/health_pb.ts";
import { connectClient, envelope, failure } from "../support/client.ts";
import {
  callHeaders,
  connectRaw,
  frameTypes,
  openCall,
  preface,
  settings as settingsFrame,
} from "../support/raw-http2.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";
import { countStarts, startServiceProcess } from "../support/service-process.ts";

const patient = { timeout: 20_000 };

describe("SIGTERM", () => {
  it("turns health, refuses programs as safe to retry, lets those that run end, and exits 0", async () => {
    await using starts = await countStarts();
    await using service = await startServiceProcess({ starts });
    using client = connectClient(service.url);
    const seen: Status[] = [];
    const watching = (async () => {
      for await (const { status } of client.health.watch({})) seen.push(status);
    })();
    await vi.waitFor(() => expect(seen).toEqual([Status.SERVING]), patient);
    const held = client.executor.execute({ request: { code: "held", context: { run: "a" } } });
    await starts.until("a");

    service.kill("SIGTERM");
    await vi.waitFor(() => expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]), patient);
    using other = connectClient(service.url);
    const refusal = await failure(other.executor.execute({ request: { code: "one" } }));
    expect(refusal.code).toBe(Code.Unavailable);
    expect(refusal.findDetails(RetryInfoSchema)).toHaveLength(1);

    service.release();
    expect((await held).execution?.outcome?.result).toMatchObject({ case: "success" });
    await watching;
    expect(await service.ended).toBe(0);
  });

  it("ends what runs longer than drain_ms as abandoned, says goodbye, and exits 0", async () => {
    await using starts = await countStarts();
    await using service = await startServiceProcess({ starts, env: { CODEMODE_DRAIN_MS: "200" } });
    using client = connectClient(service.url);
    const answer = client.executor.execute({ request: { code: "forever", context: { run: "b" } } });
    await starts.until("b");
    const session = http2.connect(service.url);
    const goodbye = new Promise<number>((resolve) => session.once("goaway", resolve));
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    service.kill("SIGTERM");
    expect((await answer).execution?.outcome?.result).toMatchObject({
      case: "failure",
      value: { reason: FailureReason.ABANDONED },
    });
    expect(await goodbye).toBe(http2.constants.NGHTTP2_NO_ERROR);
    expect(await service.ended).toBe(0);
  });
});

/** A server that drains for as long as one program is held. */
async function startDraining(settings = {}) {
  const release = Promise.withResolvers<string>();
  const scripted = createScriptedExecutor({ held: () => release.promise, one: () => 1 });
  const server = await startServer({ executors: [scripted], settings });
  const client = connectClient(server.url);
  const started = scripted.untilStarted("held");
  const held = client.executor.execute({ request: { code: "held" } });
  await started;
  const drained = server.drain();
  return {
    server,
    async [Symbol.asyncDispose]() {
      release.resolve("done");
      await Promise.all([held, drained]);
      client[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("while a server drains", () => {
  it("a client that waits for it to speak first hears nothing, until it makes a call", async () => {
    await using draining = await startDraining();
    using peer = await connectRaw(draining.server.address.port);
    // One that makes its call at once has long been answered.
    using eager = connectClient(draining.server.url);
    await eager.executor.getServerInfo({});
    expect(peer.count(frameTypes.settings)).toBe(0);
    await peer.send(openCall(1, callHeaders("GetServerInfo"), { isEnd: true }));
    await peer.until(({ type }) => type === frameTypes.settings);
    await peer.until(({ type }) => type === frameTypes.headers);
  });

  it("a connection that brings more than settings, and no call, is closed", async () => {
    await using draining = await startDraining();
    using peer = await connectRaw(draining.server.address.port);
    const ping = Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for (let sent = 0; sent < 2_000 && !peer.isClosed; sent += 1) await peer.send(ping);
    await peer.closed;
  });

  it("whoever brings it a program is told to leave; what runs on that connection goes on", async () => {
    await using draining = await startDraining();
    const session = http2.connect(draining.server.url);
    const watch = session.request({ ...callHeaders(""), ":path": "/grpc.health.v1.Health/Watch" });
    watch.end(envelope(new Uint8Array()));
    await new Promise((resolve) => watch.once("response", resolve));
    const goodbye = new Promise<number>((resolve) => session.once("goaway", resolve));
    const refused = session.request(callHeaders("Execute"));
    const message = create(ExecuteRequestSchema, { request: { code: "one" } });
    refused.end(envelope(toBinary(ExecuteRequestSchema, message)));
    const status = await new Promise((resolve) =>
      refused.once("response", (headers) => resolve(headers["grpc-status"])),
    );
    expect(status).toBe("14");
    expect(await goodbye).toBe(http2.constants.NGHTTP2_NO_ERROR);
    expect(watch.closed).toBe(false);
    watch.close();
  });

  it("is true with TLS as well", async () => {
    const file = (name: string) =>
      fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));
    const cert_file = file("localhost-cert.pem");
    const ca = await readFile(cert_file);
    const scripted = createScriptedExecutor({});
    const settings = { tls: { cert_file, key_file: file("localhost-key.pem") } };
    await using server = await startServer({ executors: [scripted], settings });
    await server.drain();
    const socket = tls.connect({ port: server.address.port, ca, ALPNProtocols: ["h2"] });
    let heard = 0;
    socket.on("data", (chunk: Buffer) => {
      heard += chunk.length;
    });
    await once(socket, "secureConnect");
    socket.write(Buffer.concat([preface, settingsFrame()]));
    const transport = createGrpcTransport({ baseUrl: server.url, nodeOptions: { ca } });
    await createClient(ExecutorService, transport).getServerInfo({});
    expect(heard).toBe(0);
    socket.write(openCall(1, callHeaders("GetServerInfo"), { isEnd: true }));
    await vi.waitFor(() => expect(heard).toBeGreaterThan(0), patient);
    socket.destroy();
  });

  it("whoever only asks may stay", async () => {
    await using draining = await startDraining();
    using client = connectClient(draining.server.url);
    for (let call = 0; call < 3; call += 1) await client.executor.getServerInfo({});
    // The program's own connection, and this one for all three.
    expect(draining.server.stats().connections).toBe(2);
  });
});
