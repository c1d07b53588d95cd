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

it("refuses, as safe to retry, a large message for which too much waits, and no small one", async () => {
  const { decompress } = createGzip({ largeAtOnce: 1, waitingBytes: 2.5 * MiB });
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
  const { decompress } = createGzip({ largeAtOnce: 1, waitingBytes: 2.5 * MiB });
  const busy = Array.from({ length: 3 }, () => decompress(folded, 4 * MiB));
  expect(Buffer.from(await decompress(small, 4 * MiB)).toString()).toBe("small");
  expect((await Promise.all(busy)).map(({ length }) => length)).toEqual([MiB, MiB, MiB]);
});

it("rests after a large message before it unfolds the next one", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  try {
    const { decompress } = createGzip({ largeAtOnce: 1, waitingBytes: 2.5 * MiB });
    await decompress(folded, 4 * MiB);
    let isDone = false;
    const next = decompress(folded, 4 * MiB).finally(() => {
      isDone = true;
    });
    // Longer than a large one takes.
    await createGzip({ largeAtOnce: 1, waitingBytes: 0 }).decompress(folded, 4 * MiB);
    await decompress(small, 4 * MiB);
    expect(isDone).toBe(false);
    vi.runAllTimers();
    expect(await next).toHaveLength(MiB);
  } finally {
    vi.useRealTimers();
  }
});

it("unfolds a message into one buffer of its size", async () => {
  const { decompress } = createGzip({ largeAtOnce: 1, waitingBytes: 2.5 * MiB });
  const unfolded = await decompress(folded, 4 * MiB);
  expect(large.equals(unfolded)).toBe(true);
  expect(unfolded.buffer.byteLength).toBeLessThan(MiB + 1_024);
});

it.each([0, 100, 2 * MiB, 4 * MiB, 2 ** 32 - 1])(
  "refuses a message that says wrongly that it unfolds to %d bytes",
  async (size) => {
    const { decompress } = createGzip({ largeAtOnce: 1, waitingBytes: 2.5 * MiB });
    const lie = Buffer.from(folded);
    lie.writeUInt32LE(size, lie.length - 4);
    await expect(decompress(lie, 4 * MiB)).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: "the message is no gzip",
    });
  },
);

it("unfolds a message of several members, of which only the last says its size", async () => {
  const { decompress } = createGzip({ largeAtOnce: 1, waitingBytes: 2.5 * MiB });
  const members = Buffer.concat([folded, small]);
  expect(await decompress(members, 4 * MiB)).toHaveLength(MiB + "small".length);
});

it.each([gzipSync(large), gzipSync(Buffer.alloc(100 * MiB))])(
  "refuses a message that unfolds to more than it may be, %#",
  async (bytes) => {
    const { decompress } = createGzip({ largeAtOnce: 1, waitingBytes: 2.5 * MiB });
    await expect(decompress(bytes, MiB - 1)).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: `the message unfolds to more than ${MiB - 1} bytes`,
    });
  },
);
