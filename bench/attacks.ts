import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { ExecuteRequestSchema } from "../gen/es/codemode/v1/executor_pb.ts";
import { toDuration } from "../src/shared/wire/time.ts";
import {
  bomb,
  changedSettings,
  compressed,
  continuation,
  emptyContinuation,
  flood,
  idleFrames,
  noiseFrames,
  openAndReset,
  openHeaders,
  ping,
} from "../test/support/attacks.ts";
import { envelope } from "../test/support/client.ts";
import { randomOf } from "../test/support/random.ts";
import {
  flags,
  frame,
  frameTypes,
  openCall,
  preface,
  type RawHttp2,
  settings,
} from "../test/support/raw-http2.ts";
import type { Attacker } from "./attacker.ts";

const MiB = 1024 * 1024;
const calls = 10_000;
const noisySeed = 20_261_122;
const gzip = { "grpc-encoding": "gzip" };

/** What one client can do to a service: each goes on until its attacker is disposed. */
export const attacks = {
  rapidReset: (attacker) => resets(attacker, attacker.headers("Execute")),
  strangersReset: (attacker) =>
    resets(attacker, attacker.headers("Execute", { authorization: "" })),
  continuation: (attacker) => headersWithoutEnd(attacker, continuation()),
  emptyContinuation: (attacker) => headersWithoutEnd(attacker, emptyContinuation()),
  pings: (attacker) => attacker.over(4, (peer) => repeat(peer, ping)),
  settings: (attacker) =>
    attacker.over(4, (peer) => repeat(peer, changedSettings(0), changedSettings(1))),
  idleFrames: (attacker) =>
    attacker.over(4, async (peer) => {
      await peer.send(openCall(1, attacker.headers("Execute")));
      await repeat(peer, ...Object.values(idleFrames));
    }),
  /** Endless output for connections whose window never opens. */
  zeroWindows: (attacker) =>
    attacker.over(
      2,
      async (peer) => {
        for (let index = 0; index < 10; index += 1)
          await peer.send(...call(2 * index + 1, attacker.headers("ExecuteStream"), endless));
        await attacker.rest(60_000);
      },
      { hello: () => Buffer.concat([preface, settings([4, 0])]) },
    ),
  /** A full connection of calls that announce a message and bring a part of it, and then the next. */
  halfOpen: (attacker) =>
    attacker.over(5, async (peer) => {
      const part = envelope(Buffer.alloc(1_000)).subarray(0, 500);
      const open = Array.from({ length: 2_000 }, (_, index) =>
        Buffer.concat([
          openCall(2 * index + 1, attacker.headers("Execute")),
          data(2 * index + 1, part),
        ]),
      );
      await flood(peer, open.length, (index) => open[index] ?? ping);
      await attacker.rest(1_000);
    }),
  oneByte: (attacker) =>
    attacker.over(4, async (peer) => {
      await peer.send(openCall(1, attacker.headers("Execute")));
      await peer.send(data(1, Buffer.from([0, 0, 0x0f, 0xff, 0xff])));
      await repeat(peer, data(1, Buffer.from([0])));
    }),
  /** Messages of 9 MiB, more than any may have, as fast as the windows open. */
  oversize: (attacker) => attacker.call({}, envelope(Buffer.alloc(9 * MiB))),
  /** Each 1 MiB that unfolds to 1 GiB. */
  bombs: (attacker) => attacker.call(gzip, compressed(bomb())),
  /** Each 8 KiB that unfolds to the most that a message may be, and is no request. */
  allowedBombs: (attacker) => attacker.call(gzip, compressed(gzipSync(Buffer.alloc(7.5 * MiB)))),
  garbage: (attacker) => {
    const next = randomOf(noisySeed);
    const noise = () => Buffer.from(Array.from({ length: 2_048 }, () => Math.floor(next() * 256)));
    let made = 0;
    const hello = () => {
      made += 1;
      if (made % 3 === 0) return noise();
      if (made % 3 === 1) return Buffer.concat([preface, noise()]);
      return Buffer.concat([preface, settings(), noiseFrames(noise())]);
    };
    return attacker.over(
      8,
      (peer) => Promise.race([peer.closed, peer.until(() => true).then(() => {})]),
      { hello },
    );
  },
} as const satisfies Readonly<Record<string, (attacker: Attacker) => Promise<void>>>;

/** Names of the attacks. */
export type AttackName = keyof typeof attacks;

const endless = toBinary(
  ExecuteRequestSchema,
  create(ExecuteRequestSchema, {
    request: {
      code: 'line = "x" * 999\nwhile True: print(line)',
      limits: { wallTimeout: toDuration(120_000), outputBytes: 1_000_000_000n },
    },
  }),
);

function data(stream: number, payload: Uint8Array, set = 0): Buffer {
  return frame(frameTypes.data, { stream, payload, flags: set });
}

function call(stream: number, headers: Readonly<Record<string, string>>, message: Uint8Array) {
  return [openCall(stream, headers), data(stream, envelope(message), flags.endStream)];
}

/** 10,000 calls over each of two connections, each reset in the next frame; then the next connections. */
async function resets(
  attacker: Attacker,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const all = Array.from({ length: calls }, (_, index) => openAndReset(index, headers));
  const none = Buffer.alloc(0);
  await attacker.over(2, async (peer) => {
    await flood(peer, calls, (index) => all[index] ?? none);
    await peer.settle();
  });
}

async function headersWithoutEnd(attacker: Attacker, more: Buffer): Promise<void> {
  await attacker.over(4, async (peer) => {
    await peer.send(openHeaders());
    await repeat(peer, more);
  });
}

/** Sends the same frames until the connection is closed. */
async function repeat(peer: RawHttp2, ...frames: readonly Buffer[]): Promise<void> {
  const length = Math.floor(4_096 / frames.length);
  const some = Buffer.concat(Array.from({ length }, () => frames).flat());
  while (!peer.isClosed) await peer.send(some);
}
