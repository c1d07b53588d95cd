import { once } from "node:events";
import net from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ExecuteRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { envelope } from "../support/client.ts";
import {
  callHeaders,
  connectRaw,
  flags,
  frame,
  frameTypes,
  openCall,
  preface,
  type RawFrame,
  settings,
} from "../support/raw-http2.ts";
import { eventually, hostile, keys, startTarget, type Target } from "./support/target.ts";

const MiB = 1024 * 1024;
let target: Target;

beforeAll(async () => {
  target = await startTarget({
    receive_ms: 3_000,
    send_ms: 3_000,
  });
});

afterAll(async () => {
  expect(target.peakBytes()).toBeLessThan(768 * MiB);
  await target[Symbol.asyncDispose]();
});

const message = (code: string) =>
  envelope(toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { request: { code } })));
const data = (stream: number, payload: Uint8Array, set = 0) =>
  frame(frameTypes.data, { stream, payload, flags: set });
/** A whole call of Execute. */
const call = (stream: number, code: string, method = "Execute") =>
  Buffer.concat([
    openCall(stream, callHeaders(method, hostile)),
    data(stream, message(code), flags.endStream),
  ]);
const endsStream = ({ type, flags: set }: RawFrame) =>
  type === frameTypes.headers && (set & flags.endStream) !== 0;
const streams = (count: number) => Array.from({ length: count }, (_, index) => 2 * index + 1);
const noWindow = Buffer.concat([preface, settings([4, 0])]);

describe("a client that never opens its window", () => {
  it("holds up its own guest, whose output waits in no memory of the service", async () => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port, { hello: noWindow });
      const before = await target.state();
      await peer.send(...streams(20).map((stream) => call(stream, "torrent", "ExecuteStream")));
      await eventually(async () => expect((await target.state()).inUse).toBeGreaterThan(19));
      const { heldBytes } = await target.state();
      expect(heldBytes - before.heldBytes).toBeLessThan(20 * MiB);
    });
  });

  it("is given up with answers that it does not take", async () => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port, { hello: noWindow });
      await peer.send(...streams(30).map((stream) => call(stream, "heavy")));
      await eventually(() => expect(peer.count(frameTypes.reset)).toBe(30));
    });
  });
});

it("gives up a client that takes nothing from its socket", async () => {
  await target.attack(async () => {
    const hello = Buffer.concat([preface, settings([4, 0x7fff_ffff])]);
    using peer = await connectRaw(target.port, { hello });
    peer.deafen();
    await peer.send(frame(frameTypes.windowUpdate, { payload: Buffer.from([0x7f, 0, 0, 0]) }));
    await peer.send(...streams(50).map((stream) => call(stream, "heavy")));
    await eventually(async () => expect((await target.state()).streams).toBeGreaterThan(20));
    await eventually(async () => expect((await target.state()).streams).toBeLessThan(2));
  });
});

describe("half-open calls", () => {
  it("are answered when their message does not come in time", async () => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      const open = streams(500);
      await peer.send(...open.map((stream) => openCall(stream, callHeaders("Execute", hostile))));
      await Promise.all(
        open.map((stream) => peer.until((it) => endsStream(it) && it.stream === stream)),
      );
      await eventually(async () => expect((await target.state()).streams).toBeLessThan(2));
    });
  });

  it("cost nothing for what they only announce", async () => {
    // None of them is late before the last has come.
    await using target = await startTarget({ tenant_receiving_calls: 1_000 });
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      const before = await target.state();
      const announced = Buffer.from([0, 0, 0x7f, 0xff, 0xff]);
      const open = streams(1_000);
      await peer.send(
        ...open.flatMap((stream) => [
          openCall(stream, callHeaders("Execute", hostile)),
          data(stream, announced),
        ]),
      );
      await eventually(async () => expect((await target.state()).streams).toBeGreaterThan(999));
      const { heldBytes } = await target.state();
      expect(heldBytes - before.heldBytes).toBeLessThan(100 * MiB);
    });
  });
});

describe("one byte at a time", () => {
  it("a call is understood", async () => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      await peer.send(openCall(1, callHeaders("Execute", hostile)));
      for (const byte of message("one")) await peer.send(data(1, Buffer.from([byte])));
      await peer.send(data(1, Buffer.alloc(0), flags.endStream));
      await peer.until(endsStream);
      expect(peer.count(frameTypes.data)).toBe(1);
    });
  });

  it("a message of 300,000 frames costs what it weighs", async () => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      await peer.send(openCall(1, callHeaders("Execute", hostile)));
      await peer.send(data(1, Buffer.from([0, 0, 0x0f, 0xff, 0xff])));
      const byte = data(1, Buffer.from([0]));
      const batch = Buffer.concat(Array.from({ length: 5_000 }, () => byte));
      let sent = 0;
      for (; sent < 300_000 && peer.count(frameTypes.headers) === 0; sent += 5_000)
        await peer.send(batch);
      // It is answered for being late, at the latest.
      await peer.until(endsStream);
      expect(sent).toBeGreaterThan(0);
    });
  });

  it("headers of HTTP/1.1 do not hold a connection for good", async () => {
    await target.attack(async () => {
      const socket = net.connect(target.port, "127.0.0.1");
      socket.on("error", () => {});
      const head = `POST /codemode.v1.ExecutorService/Execute HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keys.hostile}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`;
      socket.setNoDelay(true);
      for (const letter of head) socket.write(letter);
      // The body does not come: the call is answered for being late.
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(String(answer)).toMatch(/^HTTP\/1\.1 (?:408|504) /);
      socket.destroy();
    });
  });
});
