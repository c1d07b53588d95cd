import { expect, it, vi } from "vitest";
import { paced } from "../../../src/server/answer.ts";
import { Transit } from "../../../src/server/transit.ts";

const KiB = 1024;

function setUp(body: AsyncIterable<Uint8Array>) {
  const transit = new Transit({ tenantBytes: KiB, totalBytes: 10 * KiB, tenantCalls: 1 });
  const hold = transit.open();
  hold.claim("acme");
  const onStall = vi.fn();
  const answer = paced(body, { hold, takeMs: 1_000, lastMs: 500, onStall });
  return { transit, hold, onStall, answer, pieces: answer[Symbol.asyncIterator]() };
}

async function* chunks(...sizes: readonly number[]) {
  for (const size of sizes) yield new Uint8Array(size);
}

it("gives an answer out in pieces of 64 KiB, and accounts for what is not taken", async () => {
  const { pieces, transit } = setUp(chunks(150 * KiB, 10));
  const seen: [number, number][] = [];
  for (let step = await pieces.next(); step.done !== true; step = await pieces.next())
    seen.push([step.value.length, transit.bytes]);
  expect(seen).toEqual([
    [64 * KiB, 150 * KiB],
    [64 * KiB, 86 * KiB],
    [22 * KiB, 22 * KiB],
    [10, 10],
  ]);
});

it("says so when a piece is not taken in time, and when the end is not", async () => {
  vi.useFakeTimers();
  try {
    const { pieces, onStall, answer } = setUp(chunks(10));
    await pieces.next();
    await vi.advanceTimersByTimeAsync(999);
    expect(onStall).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(onStall).toHaveBeenCalledOnce();
    expect((await pieces.next()).done).toBe(true);
    await vi.advanceTimersByTimeAsync(500);
    expect(onStall).toHaveBeenCalledTimes(2);
    answer.close();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(onStall).toHaveBeenCalledTimes(2);
  } finally {
    vi.useRealTimers();
  }
});

it("ends a body whose last piece is never taken, when the response is over", async () => {
  let isFreed = false;
  const body = (async function* () {
    try {
      yield new Uint8Array(10);
      yield new Uint8Array(10);
    } finally {
      isFreed = true;
    }
  })();
  const { pieces, answer, hold, transit } = setUp(body);
  await pieces.next();
  answer.close();
  answer.close();
  hold[Symbol.dispose]();
  await vi.waitFor(() => expect(isFreed).toBe(true));
  expect(transit.bytes).toBe(0);
});

it("takes no further call of a tenant while too many of its calls have not come whole", () => {
  const transit = new Transit({ tenantBytes: 1_000, totalBytes: 1_000, tenantCalls: 2 });
  const open = () => {
    const hold = transit.open();
    hold.claim("acme");
    hold.receiving(10);
    return hold;
  };
  const [first, second] = [open(), open()];
  expect(open).toThrow(
    expect.objectContaining({ kind: "overloaded", message: expect.stringContaining("whole") }),
  );
  expect(() => transit.open().claim("globex")).not.toThrow();
  // One has come, and its next message begins.
  first.receiving(0);
  const third = open();
  first.receiving(20);
  expect(open).toThrow();
  for (const hold of [first, second]) hold[Symbol.dispose]();
  open();
  third[Symbol.dispose]();
  expect(transit.bytes).toBe(10);
});

it("counts bytes for their tenant, and refuses where the tenant or everybody has too many", () => {
  const transit = new Transit({ tenantBytes: 100, totalBytes: 150, tenantCalls: 2 });
  const [mine, more, yours] = [transit.open(), transit.open(), transit.open()];
  for (const hold of [mine, more]) hold.claim("acme");
  yours.claim("globex");
  mine.receiving(60);
  more.sending(60);
  expect(() => mine.check()).toThrow(expect.objectContaining({ kind: "overloaded" }));
  expect(() => yours.check()).not.toThrow();
  yours.sending(40);
  expect(() => yours.check()).toThrow(
    expect.objectContaining({ quota: [expect.objectContaining({ subject: "service" })] }),
  );
  more[Symbol.dispose]();
  more.sending(1_000);
  expect(transit.bytes).toBe(100);
  for (const hold of [mine, yours]) expect(() => hold.check()).not.toThrow();
});
