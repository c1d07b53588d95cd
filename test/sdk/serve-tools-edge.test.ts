import { once } from "node:events";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import { Code } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { defineTool, serveTools } from "../../src/index.ts";
import { connectTools } from "./support/tool-service-client.ts";

const tool = defineTool({ name: "one", description: "One", execute: () => 1 });

const read = (name: string) => readFileSync(new URL(`../support/tls/${name}`, import.meta.url));
const identity = () => ({ cert: read("localhost-cert.pem"), key: read("localhost-key.pem") });

describe("the edge of serveTools", () => {
  it("refuses a call without the key before its body is read, were it garbage or endless", async () => {
    await using server = await serveTools([tool], { port: 0, apiKey: "k" });
    const session = http2.connect(server.url);
    const statusOf = async (path: string, garbage: boolean) => {
      const call = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
      const stream = session.request({ ...call, ":path": `/codemode.v1.ToolService/${path}` });
      if (garbage) stream.end(Buffer.from([0, 0, 0, 0, 4, 255, 255, 255, 255]));
      else stream.write(Buffer.from([0, 0, 0, 0, 9, 1]));
      const told: (string | undefined)[] = [];
      const note = (headers: http2.IncomingHttpHeaders) =>
        told.push(headers["grpc-status"] as string);
      stream.on("response", note).on("trailers", note).resume();
      await once(stream, "close");
      return told.findLast((status) => status !== undefined);
    };
    try {
      for (const path of ["ListTools", "CallTool"]) {
        expect(await statusOf(path, true)).toBe(String(Code.Unauthenticated));
        expect(await statusOf(path, false)).toBe(String(Code.Unauthenticated));
      }
    } finally {
      session.destroy();
    }
  });

  it.each(["the clear", "TLS"])(
    "closes under connections that say nothing, in %s",
    async (wire) => {
      const tls = wire === "TLS" ? identity() : undefined;
      const server = await serveTools([tool], { port: 0, apiKey: "k", tls });
      const socket = net.connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
      const ended = once(socket, "close");
      socket.on("error", () => {}).on("end", () => socket.end());
      await once(socket, "connect");
      // The server has the connection once it answers on a later one.
      using client = connectTools(server.url, "k", tls?.cert);
      await client.listTools({}).catch(() => undefined);
      socket.resume();
      await server[Symbol.asyncDispose]();
      await ended;
    },
    8_000,
  );

  it("ends a connection that never says its settings", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      await using server = await serveTools([tool], { port: 0, apiKey: "k" });
      const socket = net.connect({ port: server.port, host: "127.0.0.1" });
      const ended = once(
        socket.on("error", () => {}),
        "close",
      );
      // The server's own settings: the session is there.
      await once(socket, "data");
      await vi.advanceTimersByTimeAsync(10_000);
      await ended;
    } finally {
      vi.useRealTimers();
    }
  });

  it("says nothing on the console of a caller that leaves in the middle of an answer", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const large = defineTool({ name: "l", description: "d", execute: () => "x".repeat(2 ** 20) });
    await using server = await serveTools([large], { port: 0, apiKey: "k" });
    const session = http2.connect(server.url);
    try {
      const call = { ":method": "POST", "content-type": "application/json" };
      const path = "/codemode.v1.ToolService/CallTool";
      const stream = session.request({ ...call, ":path": path, authorization: "Bearer k" });
      stream.end(JSON.stringify({ tool: "l", argumentsJson: "{}" }));
      await once(stream, "response");
      stream.close(http2.constants.NGHTTP2_CANCEL);
      await once(stream, "close");
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(log).not.toHaveBeenCalled();
    } finally {
      session.destroy();
      log.mockRestore();
    }
  });
});
