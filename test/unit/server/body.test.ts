import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { createMessageClock, wholeMessages } from "../../../src/server/body.ts";
import { envelope } from "../../support/client.ts";
import { randomOf } from "../../support/random.ts";

const messages = [0, 1, 5, 300, 5_000, 0, 70_000].map((length, index) =>
  envelope(Buffer.alloc(length, index + 1)),
);
const whole = Buffer.concat(messages);

async function* piecesOf(bytes: Uint8Array, size: () => number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + size();
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** What comes out of pieces, and the most that was held meanwhile. */
async function read(
  body: AsyncIterable<Uint8Array>,
  { isEnveloped = true, maxBytes = 100_000 } = {},
) {
  const held: number[] = [];
  const clock = createMessageClock(60_000);
  const onHeld = (bytes: number) => held.push(bytes);
  const out: Uint8Array[] = [];
  for await (const piece of wholeMessages(body, { isEnveloped, maxBytes, clock, onHeld }))
    out.push(Buffer.from(piece));
  return { out, held };
}

/** Where the messages end in a body. */
const ends = messages.map((_, index) => Buffer.concat(messages.slice(0, index + 1)).length);

describe("a body of envelopes", () => {
  const random = randomOf(7);
  it.each([
    ["one byte at a time", () => 1],
    ["in pieces of any size", () => 1 + Math.floor(random() * 9_000)],
    ["at once", () => whole.length],
  ])("comes out %s in pieces that end where messages end", async (_title, size) => {
    const { out, held } = await read(piecesOf(whole, size));
    expect(Buffer.concat(out).equals(whole)).toBe(true);
    let at = 0;
    for (const piece of out) {
      at += piece.length;
      expect(ends).toContain(at);
    }
    expect(Math.max(...held)).toBeLessThanOrEqual(whole.length);
    expect(held.at(-1)).toBe(0);
  });

  it("that ends amid a message comes out as it came, for the protocol to refuse", async () => {
    const cut = whole.subarray(0, whole.length - 3);
    const { out } = await read(piecesOf(cut, () => 1_000));
    expect(Buffer.concat(out).equals(cut)).toBe(true);
  });

  it("with a message that is too large is passed on as it comes", async () => {
    const large = envelope(Buffer.alloc(5_000));
    const { out, held } = await read(
      piecesOf(large, () => 100),
      { maxBytes: 4_000 },
    );
    expect(out).toHaveLength(51);
    expect(Math.max(...held)).toBeLessThan(100);
  });
});

it("a body that is one message comes out whole, at its end", async () => {
  const { out } = await read(
    piecesOf(whole, () => 999),
    { isEnveloped: false },
  );
  expect(out.map(({ length }) => length)).toEqual([whole.length]);
});

it("holds what it has handed on until more is asked for", async () => {
  const held: number[] = [];
  const body = piecesOf(Buffer.concat([envelope(Buffer.alloc(20)), Buffer.alloc(3)]), () => 28);
  const onHeld = (bytes: number) => held.push(bytes);
  const options = { isEnveloped: true, maxBytes: 100, clock: createMessageClock(60_000), onHeld };
  const reading = wholeMessages(body, options);
  expect((await reading.next()).value).toHaveLength(25);
  expect(held).toEqual([28]);
  await reading.next();
  expect(held).toEqual([28, 3]);
  await reading.next();
  expect(held).toEqual([28, 3, 0]);
});

it("says of the first message that it is the first", async () => {
  const firsts: boolean[] = [];
  const body = piecesOf(Buffer.concat([envelope(Buffer.alloc(20)), Buffer.alloc(3)]), () => 7);
  const onHeld = (_bytes: number, { isFirst }: { readonly isFirst: boolean }) =>
    firsts.push(isFirst);
  const options = { isEnveloped: true, maxBytes: 100, clock: createMessageClock(60_000), onHeld };
  for await (const _ of wholeMessages(body, options));
  expect(firsts).toEqual([true, true, true, true, false, false]);
});

it("waits for nothing once its call is over, even where the request does not say so", async () => {
  const clock = createMessageClock(60_000);
  const body = (async function* (): AsyncGenerator<Uint8Array> {
    await new Promise(() => {});
  })();
  const options = { isEnveloped: true, maxBytes: 100, clock, onHeld: () => {} };
  const next = wholeMessages(body, options).next();
  next.catch(() => {});
  clock.end();
  await expect(next).rejects.toMatchObject({ code: Code.Canceled });
  vi.useFakeTimers();
  clock.start();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it("throws the status of a message that is late, and of none between messages", async () => {
  vi.useFakeTimers();
  try {
    const release = Promise.withResolvers<void>();
    const body = (async function* () {
      yield messages[1] ?? new Uint8Array();
      await release.promise;
      yield Buffer.from([0, 0]);
      await new Promise(() => {});
    })();
    const clock = createMessageClock(1_000);
    const options = { isEnveloped: true, maxBytes: 100, clock, onHeld: () => {} };
    const reading = wholeMessages(body, options);
    await reading.next();
    const next = reading.next();
    next.catch(() => {});
    await vi.advanceTimersByTimeAsync(5_000);
    release.resolve();
    await vi.advanceTimersByTimeAsync(999);
    expect(clock.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    const error = await next.catch((reason: unknown) => ConnectError.from(reason));
    expect(error).toMatchObject({ code: Code.DeadlineExceeded });
  } finally {
    vi.useRealTimers();
  }
});
