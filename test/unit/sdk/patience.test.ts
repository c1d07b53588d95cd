import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CallScope } from "../../../src/sdk/call-scope.ts";
import { comeBack } from "../../../src/sdk/patience.ts";
import type { PreparedFollow } from "../../../src/sdk/request.ts";
import { defaultRetryPolicy } from "../../../src/shared/backoff.ts";
import { CodemodeConnectionError, CodemodeError } from "../../../src/shared/errors.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const call = {
  effect: "execution",
  correlationId: "c-1",
  patienceMs: 10_000,
  retry: { ...defaultRetryPolicy, jitter: 0 },
} as PreparedFollow;

interface InVainOptions {
  readonly endsInMs?: number;
  readonly retryAfterMs?: number;
  readonly baseMs?: number;
}

/** Comes back in vain; when it was tried, and how it ended, in milliseconds from the loss. */
async function inVain(options: InVainOptions = {}) {
  const { endsInMs = Number.POSITIVE_INFINITY, retryAfterMs, baseMs = 100 } = options;
  const retry = { ...call.retry, baseMs };
  const began = performance.now();
  const error = new CodemodeError("execution_lost", "the connection was lost");
  const loss = { error, count: 1, endsAt: began + endsInMs };
  const tries: number[] = [];
  const back = comeBack({ ...call, retry }, new CallScope(), loss, async () => {
    tries.push(performance.now() - began);
    throw new CodemodeConnectionError("nobody is there", { retryAfterMs });
  });
  const ended = back.then(
    () => Promise.reject(new Error("it came back")),
    (failure: unknown) => ({ failure, afterMs: performance.now() - began }),
  );
  await vi.runAllTimersAsync();
  return { tries, ...(await ended) };
}

describe("coming back to a lost execution", () => {
  it("is tried until patience ends, and not only until the next wait would pass it by", async () => {
    const { tries, failure, afterMs } = await inVain();
    expect(tries.slice(0, 6)).toEqual([100, 300, 700, 1_500, 3_100, 6_300]);
    expect(tries.at(-1)).toBeGreaterThan(9_900);
    expect(afterMs).toBeLessThanOrEqual(10_000);
    expect(tries.length).toBeLessThan(20);
    expect(failure).toMatchObject({ kind: "execution_lost", message: "the connection was lost" });
  });

  it("is tried until the caller's deadline, which then has passed", async () => {
    const { tries, failure, afterMs } = await inVain({ endsInMs: 5_000 });
    expect(tries.at(-1)).toBeGreaterThan(4_900);
    expect(afterMs).toBeLessThanOrEqual(5_000);
    expect(failure).toMatchObject({ kind: "deadline_exceeded" });
  });

  it("leaves a moment between its attempts where the policy has no waits", async () => {
    const { tries } = await inVain({ baseMs: 0 });
    expect(tries.length).toBeLessThanOrEqual(1_000);
    expect(tries.at(-1)).toBeGreaterThan(9_900);
  });

  it("waits as long as the service says, and gives up at once where that is too long", async () => {
    expect(await inVain({ retryAfterMs: 60_000 })).toMatchObject({
      tries: [100],
      afterMs: 100,
      failure: { kind: "execution_lost" },
    });
    const { tries } = await inVain({ retryAfterMs: 4_000 });
    expect(tries).toEqual([100, 4_100, 8_100]);
  });
});
