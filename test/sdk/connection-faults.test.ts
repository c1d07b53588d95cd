import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { setImmediate } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ExecutorService } from "../../gen/es/codemode/v1/executor_pb.ts";
import { Codemode } from "../../src/index.ts";
import { Http2Sessions } from "../../src/shared/http2-sessions.ts";
import { idleFaults, strike } from "../support/idle-faults.ts";
import { quick } from "./support/cuttable.ts";
import { listen, startRefusing, type Wire } from "./support/refusing-service.ts";
import { stable } from "./support/stable.ts";

const wires: readonly Wire[] = ["the clear", "TLS"];

/** What no listener has heard ends a process: here it fails the test. */
function heedUncaught(): Error[] {
  const uncaught: Error[] = [];
  const onUncaught = (error: Error) => uncaught.push(error);
  process.prependListener("uncaughtException", onUncaught);
  onTestFinished(() => void process.off("uncaughtException", onUncaught));
  return uncaught;
}

/** Everything that was begun has been heard of: another connection has come and gone. */
async function settle(url: string): Promise<void> {
  const socket = net.connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();
  await once(socket, "close");
}

describe.each(wires)("a fault of an idle connection in %s", (wire) => {
  it.each(idleFaults)(
    "ends no process, and the next call goes over another: %s",
    async (_title, fault) => {
      const uncaught = heedUncaught();
      const { url, options, connections } = await startRefusing(wire);
      await using codemode = Codemode.connect({ url, retry: quick, ...options });
      const call = () => codemode.getExecution("x-1").catch((error: unknown) => error);
      const refused = { kind: "not_found" };
      expect(await call()).toMatchObject(refused);
      // A session's error comes some turns after its end: a call between them drops connect's own listeners.
      for (let turns = 1; turns <= 12; turns++) {
        strike(connections, fault);
        for (let n = 0; n < turns; n++) await setImmediate();
        expect(await call()).toMatchObject(refused);
      }
      // A call that is earlier than the fault may still go over the old one.
      expect(connections.length).toBeGreaterThan(6);
      await settle(url);
      expect(uncaught).toEqual([]);
    },
  );
});

it.each([
  ["HTTP/1.1", () => http.createServer((_request, response) => response.end("hello"))],
  ["something else", () => net.createServer((socket) => socket.end("220 mail.example ESMTP\r\n"))],
] as [string, () => net.Server][])(
  "says that HTTP/2 may be off where a port speaks %s",
  async (_title, create) => {
    const uncaught = heedUncaught();
    const url = await listen(create());
    await using codemode = Codemode.connect({ url });
    const error = await codemode.execute("1").catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      kind: "unavailable",
      retryable: false,
      message: "cannot reach the service: this port speaks HTTP/1.1; is HTTP/2 on?",
    });
    expect(uncaught).toEqual([]);
  },
);

/** Sockets that this process has, those included that nothing waits for. */
function openSockets(): number {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // the folder's own
    }
  });
  return targets.filter((target) => target.startsWith("socket:")).length;
}

describe("pings", () => {
  const keepalive = { pingAfterMs: 20, pingTimeoutMs: 200, pingGapMs: 20 };

  /** A proxy before a server that can be made to swallow everything, as a network that is gone. */
  async function frozen(target: string) {
    let isFrozen = false;
    let connections = 0;
    const proxy = net.createServer((socket) => {
      connections += 1;
      const upstream = net.connect(Number(new URL(target).port), "127.0.0.1");
      const goes = isFrozen ? () => true : undefined;
      socket.on("data", (chunk) => (isFrozen && goes === undefined ? true : upstream.write(chunk)));
      upstream.on("data", (chunk) => (isFrozen && goes === undefined ? true : socket.write(chunk)));
      for (const end of [socket, upstream]) {
        end.on("error", () => {});
        end.on("close", () => {
          socket.destroy();
          upstream.destroy();
        });
      }
    });
    return {
      url: await listen(proxy),
      freeze: () => {
        isFrozen = true;
      },
      connections: () => connections,
    };
  }

  it("find a peer that is gone before an idle connection is used again", async () => {
    const { url } = await startRefusing();
    const proxy = await frozen(url);
    const always = { pingAfterMs: 0, pingTimeoutMs: 200, pingGapMs: 0 };
    const sessions = new Http2Sessions({ url: proxy.url, tls: {}, keepalive: always });
    onTestFinished(() => sessions.abort());
    const ask = async () => {
      const stream = await sessions.request("POST", "/x", { te: "trailers" }, {});
      stream.resume();
      const [headers] = await once(stream, "response");
      stream.end();
      await once(stream, "close");
      return (headers as http2.IncomingHttpHeaders)["grpc-status"];
    };
    expect(await ask()).toBe("5");
    proxy.freeze();
    expect(await ask()).toBe("5");
    expect(proxy.connections()).toBe(2);
  });

  it("find a peer that is gone while a call is open", async () => {
    const server = http2.createServer((_request, response) => response.stream.respond({}));
    const proxy = await frozen(await listen(server));
    const sessions = new Http2Sessions({ url: proxy.url, tls: {}, keepalive });
    onTestFinished(() => sessions.abort());
    const stream = await sessions.request("POST", "/x", { te: "trailers" }, {});
    await once(stream, "response");
    const failed = once(stream, "error");
    proxy.freeze();
    const [error] = await failed;
    expect(String(error)).toContain("PING timed out");
  });

  it.skipIf(process.platform !== "linux")(
    "leave no socket behind where a write never ends, as over TLS after a reset",
    async () => {
      const { url, options, connections } = await startRefusing("TLS");
      await stable(openSockets); // those of the tests before
      const before = openSockets();
      const sessionManager = new Http2Sessions({ url, tls: options.tls ?? {}, keepalive });
      onTestFinished(() => sessionManager.abort());
      const client = createClient(
        ExecutorService,
        createGrpcTransport({ baseUrl: url, sessionManager }),
      );
      const call = () => client.getServerInfo({}).catch((error: unknown) => error);
      const times = 5;
      for (let n = 0; n < times; n++) {
        await call();
        strike(connections, ({ socket }) => socket.resetAndDestroy());
        await call();
      }
      sessionManager.abort();
      await vi.waitFor(() => expect(openSockets()).toBeLessThan(before + times - 1));
    },
  );

  it("are no closer than they may be", async () => {
    let pings = 0;
    const server = http2.createServer((_request, response) => response.stream.respond({}));
    server.on("session", (session) => session.on("ping", () => (pings += 1)));
    const url = await listen(server);
    const sessions = new Http2Sessions({
      url,
      tls: {},
      keepalive: { pingAfterMs: 1, pingTimeoutMs: 5_000, pingGapMs: 3_600_000 },
    });
    onTestFinished(() => sessions.abort());
    const stream = await sessions.request("POST", "/x", { te: "trailers" }, {});
    await once(stream, "response");
    await vi.waitFor(() => expect(pings).toBe(1));
    await settle(url);
    expect(pings).toBe(1);
  });
});
