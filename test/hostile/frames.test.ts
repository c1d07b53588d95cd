import net from "node:net";
import { afterAll, beforeAll, it } from "vitest";
import { noiseFrames } from "../support/attacks.ts";
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
import { randomBytes } from "./support/random-bytes.ts";
import { hostile, startTarget, type Target } from "./support/target.ts";

let target: Target;

beforeAll(async () => {
  target = await startTarget();
});

afterAll(() => target[Symbol.asyncDispose]());

const call = openCall(1, callHeaders("Execute", hostile));
const fourBytes = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

it.each([
  ["data of a stream that was never opened", frame(frameTypes.data, { stream: 99 })],
  ["data of no stream", frame(frameTypes.data, { payload: Buffer.alloc(8) })],
  ["headers of no stream", openCall(0, callHeaders("Execute"))],
  ["headers of the server's own stream", openCall(2, callHeaders("Execute"))],
  [
    "headers that name a table entry that is not there",
    frame(frameTypes.headers, {
      stream: 1,
      flags: flags.endHeaders,
      payload: Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f]),
    }),
  ],
  [
    "a frame larger than agreed",
    frame(frameTypes.data, { stream: 1, length: 16_385, payload: Buffer.alloc(16_385) }),
  ],
  ["settings of half an entry", frame(frameTypes.settings, { payload: Buffer.alloc(5) })],
  ["settings with a window that is too large", settings([4, 0x8000_0000])],
  [
    "settings that are an answer with content",
    frame(frameTypes.settings, { flags: flags.ack, payload: Buffer.alloc(6) }),
  ],
  ["a ping of seven bytes", frame(frameTypes.ping, { payload: Buffer.alloc(7) })],
  ["a window that grows by nothing", frame(frameTypes.windowUpdate, { payload: fourBytes(0) })],
  [
    "a window that grows beyond its measure",
    Buffer.concat([
      frame(frameTypes.windowUpdate, { payload: fourBytes(0x7fff_ffff) }),
      frame(frameTypes.windowUpdate, { payload: fourBytes(0x7fff_ffff) }),
    ]),
  ],
  [
    "a promise from a client",
    frame(frameTypes.pushPromise, { stream: 1, flags: flags.endHeaders, payload: fourBytes(2) }),
  ],
  [
    "a CONTINUATION of nothing",
    frame(frameTypes.continuation, { stream: 1, flags: flags.endHeaders }),
  ],
  [
    "another frame amid headers",
    Buffer.concat([
      frame(frameTypes.headers, { stream: 1 }),
      frame(frameTypes.ping, { payload: Buffer.alloc(8) }),
    ]),
  ],
  [
    "a reset of a stream that was never opened",
    frame(frameTypes.reset, { stream: 7, payload: fourBytes(8) }),
  ],
  ["a goodbye", frame(frameTypes.goaway, { payload: Buffer.alloc(8) })],
])("closes a connection that brings %s", async (_title, bytes) => {
  await target.attack(async () => {
    using peer = await connectRaw(target.port);
    await peer.send(bytes);
    await peer.closed;
  });
});

it.each([
  [
    "data after the end",
    [
      frame(frameTypes.data, { stream: 1, flags: flags.endStream }),
      frame(frameTypes.data, { stream: 1 }),
    ],
  ],
  ["headers after the end", [frame(frameTypes.data, { stream: 1, flags: flags.endStream }), call]],
  ["trailers", [openCall(1, { "x-late": "yes" }, { isEnd: true })]],
  [
    "a window that grows beyond its measure",
    [frame(frameTypes.windowUpdate, { stream: 1, payload: fourBytes(0x7fff_ffff) })],
  ],
  [
    "headers of an older stream",
    [openCall(5, callHeaders("Execute")), openCall(3, callHeaders("Execute"))],
  ],
  [
    "a priority that depends on itself",
    [frame(frameTypes.priority, { stream: 1, payload: Buffer.from([0, 0, 0, 1, 1]) })],
  ],
  [
    "padding that is longer than its frame",
    [frame(frameTypes.data, { stream: 1, flags: 8, payload: Buffer.from([200, 0]) })],
  ],
])("bears or closes a connection whose call brings %s", async (_title, frames) => {
  await target.attack(async () => {
    using peer = await connectRaw(target.port);
    await peer.send(call, ...frames);
    await Promise.race([peer.closed, peer.settle()]).catch(() => peer.closed);
  });
});

it("bears 300 connections of noise", async () => {
  await target.attack(async () => {
    const random = randomBytes(20_261_122);
    await Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        const noise = random(2_048);
        // A third as it is, a third after the preface, a third as frames of a plausible kind.
        const hello = [
          noise,
          Buffer.concat([preface, noise]),
          Buffer.concat([preface, settings(), noiseFrames(noise)]),
        ];
        using peer = await connectRaw(target.port, { hello: hello[index % 3] ?? noise });
        await Promise.race([peer.closed, peer.until(() => true)]).catch(() => {});
      }),
    );
  });
});

it("bears connections that end at any point of a call", async () => {
  await target.attack(async () => {
    const words = Buffer.concat([
      preface,
      settings(),
      call,
      frame(frameTypes.data, { stream: 1, payload: Buffer.alloc(40) }),
    ]);
    for (let end = 0; end < words.length; end += 3) {
      const socket = net.connect(target.port, "127.0.0.1");
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket
        .on("error", () => {})
        .end(words.subarray(0, end))
        .resume();
      if (end % 2 === 0) socket.once("finish", () => socket.resetAndDestroy());
      await closed;
    }
  });
});
