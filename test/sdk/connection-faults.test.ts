import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Codemode } from "../../src/index.ts";
import { Http2Sessions } from "../../src/shared/http2-sessions.ts";

/** Listens on loopback until the test is over. */
async function listen(server: net.Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What no listener has heard ends a process: here it fails the test. */
function heedUncaught(): Error[] {
  const uncaught: Error[] = [];
  const onUncaught = (error: Error) => uncaught.push(error);
  process.prependListener("uncaughtException", onUncaught);
  onTestFinished(() => void process.off("uncaughtException", onUncaught));
  return uncaught;
}

/** A gRPC service that says that nothing is found, and its sessions. */
async function startRefusing() {
  const sessions: http2.ServerHttp2Session[] = [];
  const server = http2.createServer((_request, response) => {
    const head = { ":status": 200, "content-type": "application/grpc", "grpc-status": "5" };
    response.stream.respond(head, { endStream: true });
  });
  server.on("session", (session) => sessions.push(session));
  server.on("sessionError", () => {});
  return { url: await listen(server), sessions };
}

/** Everything that was begun has been heard of: another connection has come and gone. */
async function settle(url: string): Promise<void> {
  const socket = net.connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();
  await once(socket, "close");
}

describe("a fault of an idle connection", () => {
  const faults: [string, (session: http2.ServerHttp2Session) => void][] = [
    ["GOAWAY", (session) => session.goaway(http2.constants.NGHTTP2_NO_ERROR)],
    ["GOAWAY with an error", (session) => session.goaway(http2.constants.NGHTTP2_PROTOCOL_ERROR)],
    [
      "too many pings",
      (session) =>
        session.goaway(
          http2.constants.NGHTTP2_ENHANCE_YOUR_CALM,
          0,
          new TextEncoder().encode("too_many_pings"),
        ),
    ],
    ["an end with an error", (session) => session.destroy(new Error("gone"), 2)],
    [
      "GOAWAY and a reset",
      (session) => {
        session.goaway(http2.constants.NGHTTP2_INTERNAL_ERROR);
        session.destroy(undefined, http2.constants.NGHTTP2_INTERNAL_ERROR);
      },
    ],
  ];

  it.each(faults)(
    "ends no process, and the next call goes over another: %s",
    async (_title, fault) => {
      const uncaught = heedUncaught();
      const { url, sessions } = await startRefusing();
      await using codemode = Codemode.connect({ url });
      const call = () => codemode.getExecution("x-1").catch((error: Error) => error.message);
      const first = await call();
      const [session] = sessions as [http2.ServerHttp2Session];
      fault(session);
      await settle(url);
      expect(await call()).toBe(first);
      expect(sessions.length).toBeGreaterThanOrEqual(1);
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
