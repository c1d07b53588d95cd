import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Readers, type ReadersOptions } from "../../../src/service/readers.ts";
import { CodemodeTimeoutError } from "../../../src/shared/errors.ts";
import type { Stop } from "../../../src/shared/stop.ts";
import { Tally } from "../../../src/shared/tally.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(options: Partial<ReadersOptions> = {}) {
  const stops: Stop[] = [];
  const followers = new Tally();
  const readers = new Readers({
    tenant: "acme",
    keepMs: 0,
    wallMs: 60_000,
    bounds: { perExecution: 2, perTenant: 3 },
    followers,
    stop: (stop) => stops.push(stop),
    ...options,
  });
  return { readers, stops, followers };
}

const leave = (reader: Disposable) => reader[Symbol.dispose]();

describe("the readers of an execution", () => {
  it("end it at once when the last leaves and nothing is kept", () => {
    const { readers, stops } = setUp();
    const [caller, follower] = [readers.join(), readers.joinFollower()];
    leave(caller);
    expect(stops).toEqual([]);
    leave(follower);
    expect(stops).toMatchObject([{ reason: "cancelled" }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("abandon it a time after the last left, counted anew after each return", () => {
    const { readers, stops } = setUp({ keepMs: 200 });
    leave(readers.join());
    vi.advanceTimersByTime(199);
    const back = readers.joinFollower();
    vi.advanceTimersByTime(10_000);
    expect(stops).toEqual([]);
    leave(back);
    vi.advanceTimersByTime(199);
    expect(stops).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(stops).toMatchObject([{ reason: "abandoned" }]);
  });

  it("leave it to its end when it is kept as long as it can run", () => {
    const { readers, stops } = setUp({ keepMs: 60_000 });
    leave(readers.join());
    expect(vi.getTimerCount()).toBe(0);
    expect(stops).toEqual([]);
  });

  it.each([0, 200])("do nothing to one that has ended, kept for %d ms", (keepMs) => {
    const { readers, stops } = setUp({ keepMs });
    const caller = readers.join();
    leave(readers.joinFollower());
    readers.close();
    leave(caller);
    leave(readers.joinFollower());
    expect(vi.getTimerCount()).toBe(0);
    expect(stops).toEqual([]);
  });

  it("stop the clock of one that ends while it is kept", () => {
    const { readers, stops } = setUp({ keepMs: 200 });
    leave(readers.join());
    readers.close();
    vi.advanceTimersByTime(10_000);
    expect(stops).toEqual([]);
  });

  it("leave once, however often they say so", () => {
    const { readers, stops, followers } = setUp();
    const caller = readers.join();
    const follower = readers.joinFollower();
    leave(follower);
    leave(follower);
    expect([readers.count, followers.total, stops.length]).toEqual([1, 0, 0]);
    leave(caller);
  });

  it("are bounded as followers, of one execution and of one tenant", () => {
    const { readers, followers } = setUp();
    const other = setUp({ followers }).readers;
    readers.join();
    const first = readers.joinFollower();
    readers.joinFollower();
    expect(() => readers.joinFollower()).toThrow(
      expect.objectContaining({
        kind: "overloaded",
        message: "the execution has too many followers",
        retryAfterMs: 1_000,
      }),
    );
    other.joinFollower();
    expect(() => other.joinFollower()).toThrow(
      expect.objectContaining({
        message: "the tenant has too many followers",
        quota: [{ subject: "tenant:acme", description: "3 followers of all executions" }],
      }),
    );
    leave(first);
    other.joinFollower();
    expect([readers.count, followers.of("acme")]).toEqual([2, 3]);
  });
});

describe("the readers of an execution that has not started", () => {
  const outOfTime = () =>
    AbortSignal.abort(new CodemodeTimeoutError("the call took longer than its deadline"));
  const deadlines = { reason: "cancelled", message: expect.stringContaining("deadline") };
  const endsAfter = (ms: number) => performance.now() + ms;

  it.each([200, 60_000])("end it with the last deadline, kept for %d ms or not", (keepMs) => {
    const { readers, stops } = setUp({ keepMs });
    const watcher = readers.joinFollower();
    const joined = readers.joinFollower({ signal: outOfTime(), endsAt: endsAfter(20) });
    leave(readers.join({ signal: outOfTime(), endsAt: endsAfter(10) }));
    leave(joined);
    expect(stops).toEqual([]);
    leave(watcher);
    expect(stops).toMatchObject([deadlines]);
  });

  it("end it at the latest deadline of those who were lost before, unless one comes back", () => {
    const { readers, stops } = setUp({ keepMs: 60_000 });
    leave(readers.join({ endsAt: endsAfter(50) }));
    leave(readers.joinFollower({ endsAt: endsAfter(100) }));
    vi.advanceTimersByTime(99);
    const back = readers.joinFollower();
    vi.advanceTimersByTime(10);
    expect(stops).toEqual([]);
    leave(back);
    expect(stops).toMatchObject([deadlines]);
  });

  it("keep it for its time where that is over before the deadline, or there is none", () => {
    for (const endsAt of [endsAfter(10_000), undefined]) {
      const { readers, stops } = setUp({ keepMs: 200 });
      leave(readers.join({ endsAt }));
      vi.advanceTimersByTime(199);
      expect(stops).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(stops).toMatchObject([{ reason: "abandoned" }]);
    }
  });

  it("keep it for its time, from when the last left, where it starts before the deadline", () => {
    const { readers, stops } = setUp({ keepMs: 200 });
    leave(readers.join({ endsAt: endsAfter(100) }));
    vi.advanceTimersByTime(90);
    readers.start();
    vi.advanceTimersByTime(109);
    expect(stops).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(stops).toMatchObject([{ reason: "abandoned" }]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
