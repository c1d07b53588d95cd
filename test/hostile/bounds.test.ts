import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { setImmediate } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterEach, expect, it } from "vitest";
import { ExecuteRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { connectClient, envelope, failure, type TestClient } from "../support/client.ts";
import { connectCaller } from "../support/http2-caller.ts";
import {
  callHeaders,
  connectRaw,
  flags,
  frame,
  frameTypes,
  openCall,
  preface,
  settings,
} from "../support/raw-http2.ts";
import { eventually, hostile, keys, startTarget } from "./support/target.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const sockets: net.Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Connections that say what they are told to, and then nothing more. */
async function occupy(
  port: number,
  count: number,
  words: Uint8Array | string,
): Promise<net.Socket[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = net
        .connect(port, "127.0.0.1")
        .on("error", () => {})
        .resume();
      sockets.push(socket);
      await once(socket, "connect");
      socket.write(words);
      return socket;
    }),
  );
}

const one = { request: { code: "one" } };

it.each([
  ["nothing", ""],
  ["half a preface", preface.subarray(0, 10)],
  ["settings and no call", Buffer.concat([preface, settings()])],
  ["half a header of HTTP/1.1", "POST / HT"],
  [
    "calls without a key",
    Buffer.concat([preface, settings(), openCall(1, callHeaders("Execute"))]),
  ],
])("strangers who say %s keep nobody out", async (_title, words) => {
  await using target = await startTarget({ max_connections: 60, keyless_connections: 40 });
  await target.attack(async () => {
    const all = await occupy(target.port, 200, words);
    // All but the newest have been closed, and those not by the end of their own patience.
    await eventually(() => {
      const open = all.filter(({ closed }) => !closed).length;
      expect(open).toBeGreaterThan(20);
      expect(open).toBeLessThan(41);
    });
    using late = connectClient(target.url, keys.good);
    await late.executor.execute(one);
    for (const socket of sockets.splice(0)) socket.destroy();
  });
});

it("a tenant with too many connections is refused on the next, and nobody else is", async () => {
  await using target = await startTarget({ tenant_connections: 3 });
  await target.attack(async () => {
    const clients: TestClient[] = [];
    try {
      for (let count = 0; count < 3; count += 1) {
        const client = connectClient(target.url, keys.hostile);
        clients.push(client);
        await client.executor.execute(one);
      }
      using fourth = connectClient(target.url, keys.hostile);
      const refusal = await failure(fourth.executor.execute(one));
      expect(refusal.code).toBe(Code.ResourceExhausted);
      expect(refusal.message).toContain("too many connections");
      await clients[0]?.executor.execute(one);
      clients.pop()?.[Symbol.dispose]();
      await eventually(() => fourth.executor.execute(one));
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
  });
});

it("further connections are closed as they come, and those that are open work on", async () => {
  await using target = await startTarget({ max_connections: 10 });
  await target.attack(async () => {
    const all = await occupy(target.port, 30, Buffer.concat([preface, settings()]));
    await eventually(() => expect(all.filter(({ closed }) => !closed).length).toBeLessThan(10));
    for (const socket of sockets.splice(0)) socket.destroy();
  });
});

it("a connection may have 2,048 calls open, and one more is refused", async () => {
  await using target = await startTarget({ tenant_receiving_calls: 3_000 });
  await target.attack(async () => {
    using peer = await connectRaw(target.port);
    const open = Array.from({ length: 2_049 }, (_, index) =>
      openCall(2 * index + 1, callHeaders("Execute", hostile)),
    );
    await peer.send(...open);
    const refused = await peer.until(({ type }) => type === frameTypes.reset);
    // REFUSED_STREAM: it may be sent again, there or elsewhere.
    expect([refused.stream, refused.payload.readUInt32BE()]).toEqual([4_097, 7]);
  });
});

it("half messages of a tenant hold a bounded number of bytes, and the next are refused", async () => {
  await using target = await startTarget({ tenant_transit_bytes: 16 * MiB });
  await target.attack(async () => {
    // What Node's client has still to send would leave it no memory for the answers.
    const session = http2.connect(target.url, { maxSessionMemory: 1_000 });
    session.on("error", () => {});
    const half = Buffer.alloc(6 * MiB);
    half.writeUInt32BE(7 * MiB, 1);
    const answers: unknown[] = [];
    for (let count = 0; count < 8; count += 1) {
      const stream = session.request(callHeaders("Execute", hostile));
      stream.on("error", () => {}).write(half);
      stream.once("response", (headers) => answers.push(headers["grpc-status"]));
    }
    let peak = 0;
    while (answers.length < 6) {
      peak = Math.max(peak, (await target.state()).transitBytes);
      await setImmediate();
    }
    session.destroy();
    expect(new Set(answers)).toEqual(new Set(["8"]));
    expect(peak).toBeLessThan(18 * MiB);
  });
});

it("answers that a tenant does not take leave it no further calls, and others theirs", async () => {
  await using target = await startTarget({ tenant_transit_bytes: 8 * MiB });
  await target.attack(async () => {
    const hello = Buffer.concat([preface, settings([4, 0])]);
    using peer = await connectRaw(target.port, { hello });
    const request = create(ExecuteRequestSchema, { request: { code: "heavy" } });
    const call = (stream: number) => [
      openCall(stream, callHeaders("Execute", hostile)),
      frame(frameTypes.data, {
        stream,
        flags: flags.endStream,
        payload: envelope(toBinary(ExecuteRequestSchema, request)),
      }),
    ];
    for (let count = 0; count < 10; count += 1) await peer.send(...call(2 * count + 1));
    await eventually(async () =>
      expect((await target.state()).transitBytes).toBeGreaterThan(8 * MiB),
    );
    await peer.send(...call(101));
    const refusal = await peer.until(({ stream }) => stream === 101);
    expect(refusal.flags & flags.endStream).toBe(flags.endStream);
  });
});

it.each([
  ["that are too many", { tenant_receiving_calls: 20 }, 20],
  ["that hold too much", { tenant_transit_bytes: 1 * MiB }, 17],
])(
  "calls whose message does not come, %s, leave a tenant no further ones, and others theirs",
  async (_title, bounds, most) => {
    await using target = await startTarget(bounds);
    await target.attack(async () => {
      using caller = connectCaller(target.url);
      const headers = callHeaders("Execute", hostile);
      const open = Array.from({ length: most }, () => caller.open(headers));
      await eventually(async () =>
        expect((await target.state()).transitBytes).toBe(most * 64 * KiB),
      );
      const { grpcStatus } = await caller.call(headers, envelope(new Uint8Array(0)));
      expect(grpcStatus).toBe(Code.ResourceExhausted);
      for (const one of open) one[Symbol.dispose]();
    });
    await eventually(async () => expect((await target.state()).transitBytes).toBe(0));
  },
);
