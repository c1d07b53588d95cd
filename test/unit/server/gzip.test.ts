import { gzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it, vi } from "vitest";
import { RetryInfoSchema } from "../../../gen/es/google/rpc/error_details_pb.ts";
import { createGzip } from "../../../src/server/gzip.ts";
import { randomOf } from "../../support/random.ts";

const MiB = 1024 * 1024;
const random = randomOf(7);
// As large folded as unfolded.
const large = Buffer.from(Uint8Array.from({ length: MiB }, () => random() * 256));
const folded = gzipSync(large);
const small = gzipSync("small");

/** gzip with one place, and whose call asks for messages now. */
function makeGzip(waitingBytes = 3.5 * MiB) {
  const call = { group: "red", isOver: () => false };
  return { call, ...createGzip({ current: () => call, largeAtOnce: 1, waitingBytes }) };
}

/** A clock that stands still until it is put on. */
async function withoutTime(test: () => Promise<void>): Promise<void> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    await test();
  } finally {
    vi.useRealTimers();
  }
}

it("refuses, as safe to retry, a large message for which too much waits, and no small one", async () => {
  const { decompress } = makeGzip();
  const unfold = () => decompress(folded, 4 * MiB).catch((error) => ConnectError.from(error));
  const all = await Promise.all(Array.from({ length: 5 }, unfold));
  const refused = all.filter((one) => one instanceof ConnectError);
  expect(all.filter((one) => !(one instanceof ConnectError))).toHaveLength(3);
  expect(refused).toMatchObject([
    { code: Code.ResourceExhausted, rawMessage: "too many large messages wait to be unfolded" },
    { code: Code.ResourceExhausted },
  ]);
  expect(refused[0]?.findDetails(RetryInfoSchema)).toHaveLength(1);
  expect(await unfold()).toHaveLength(MiB);
});

it("unfolds small messages while large ones wait", async () => {
  const { decompress } = makeGzip();
  const busy = Array.from({ length: 3 }, () => decompress(folded, 4 * MiB));
  expect(Buffer.from(await decompress(small, 4 * MiB)).toString()).toBe("small");
  expect((await Promise.all(busy)).map(({ length }) => length)).toEqual([MiB, MiB, MiB]);
});

it("rests after a large message of a group before it unfolds the next one", () =>
  withoutTime(async () => {
    const { decompress } = makeGzip();
    await decompress(folded, 4 * MiB);
    let isDone = false;
    const next = decompress(folded, 4 * MiB).finally(() => {
      isDone = true;
    });
    // Longer than a large one takes.
    await makeGzip().decompress(folded, 4 * MiB);
    await decompress(small, 4 * MiB);
    expect(isDone).toBe(false);
    vi.advanceTimersByTime(MiB / (32 * 1024) + 2);
    expect(await next).toHaveLength(MiB);
  }));

it("unfolds a large message of one group while those of another rest", () =>
  withoutTime(async () => {
    const { call, decompress } = makeGzip();
    const flood = Array.from({ length: 3 }, () => decompress(folded, 4 * MiB));
    await flood[0];
    call.group = "blue";
    expect(await decompress(folded, 4 * MiB)).toHaveLength(MiB);
    vi.advanceTimersByTime(1_000);
    await flood[1];
    vi.advanceTimersByTime(1_000);
    await flood[2];
  }));

it("does not unfold a large message of a call that is over, nor rest for it", () =>
  withoutTime(async () => {
    const { call, decompress } = makeGzip(1.5 * MiB);
    call.isOver = () => true;
    await expect(decompress(folded, 4 * MiB)).rejects.toMatchObject({ code: Code.Canceled });
    call.isOver = () => false;
    expect(await decompress(folded, 4 * MiB)).toHaveLength(MiB);
  }));

it("unfolds a message into one buffer of its size", async () => {
  const { decompress } = makeGzip();
  const unfolded = await decompress(folded, 4 * MiB);
  expect(large.equals(unfolded)).toBe(true);
  expect(unfolded.buffer.byteLength).toBeLessThan(MiB + 1_024);
});

it.each([0, 100, 2 * MiB, 4 * MiB, 2 ** 32 - 1])(
  "refuses a message that says wrongly that it unfolds to %d bytes",
  async (size) => {
    const { decompress } = makeGzip();
    const lie = Buffer.from(folded);
    lie.writeUInt32LE(size, lie.length - 4);
    await expect(decompress(lie, 4 * MiB)).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: "the message is no gzip",
    });
  },
);

it("unfolds a message of several members, of which only the last says its size", async () => {
  const { decompress } = makeGzip();
  const members = Buffer.concat([folded, small]);
  expect(await decompress(members, 4 * MiB)).toHaveLength(MiB + "small".length);
});

it.each([gzipSync(large), gzipSync(Buffer.alloc(100 * MiB))])(
  "refuses a message that unfolds to more than it may be, %#",
  async (bytes) => {
    const { decompress } = makeGzip();
    await expect(decompress(bytes, MiB - 1)).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: `the message unfolds to more than ${MiB - 1} bytes`,
    });
  },
);
