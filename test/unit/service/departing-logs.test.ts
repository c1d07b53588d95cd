import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { eventsOf, never, setUpExecutions as setUp } from "../../support/executions.ts";
import type { Script } from "../../support/scripted-executor.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const flood: Script = async ({ print }) => {
  for (let line = 0; line < 1_000; line++) await print("x".repeat(1_000));
};
const nothingKept = { retention: { endedForMs: 60_000, tenantBytes: 0, totalBytes: 0 } };
const place = { afterSequence: 0, answerTools: false };

/** A log that is too large to be kept, its program ended, and a follower that has read one event. */
async function setUpFollower() {
  const t = setUp({ scripts: { flood }, keeping: nothingKept });
  const execution = t.start("flood");
  const { executionId } = execution;
  const follower = await t.executions.attach(executionId, "acme", place, never);
  const events = follower.events();
  await events.next();
  await eventsOf(execution);
  await execution.over;
  await execution[Symbol.asyncDispose]();
  return { t, executionId, follower, events };
}

it("a log that is not kept is left to those who read it for a while", async () => {
  const { t, executionId, follower, events } = await setUpFollower();
  await using _ = t;
  expect(() => t.executions.get(executionId, "acme")).toThrow("no such execution");
  vi.advanceTimersByTime(4_999);
  let count = 1;
  for await (const _event of events) count += 1;
  expect(count).toBe(follower.lastSequence);
});

it("a reader who is too slow even for that is told that nothing is left, and after which event", async () => {
  const { t, events, follower } = await setUpFollower();
  await using _ = t;
  vi.advanceTimersByTime(5_000);
  let last = 1;
  const rest = async () => {
    for await (const { sequence } of events) last = sequence;
  };
  const error = await rest().catch((reason: unknown) => reason);
  expect(last).toBeLessThan(follower.lastSequence);
  expect(error).toMatchObject({
    kind: "out_of_range",
    message: `events after ${last} are no longer kept: nothing is left of the log`,
    retryable: false,
  });
});
