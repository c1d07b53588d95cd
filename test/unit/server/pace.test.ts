import { EventEmitter } from "node:events";
import type { Http2Session } from "node:http2";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Pace } from "../../../src/server/pace.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A session as far as a pace knows it, and whether its socket is read. */
function startPace() {
  const words: string[] = [];
  const handle = {
    readStop: () => words.push("stop"),
    readStart: () => words.push("start"),
  };
  const session = Object.assign(new EventEmitter(), {
    destroyed: false,
    socket: { _handle: handle },
  });
  return { words, session, pace: new Pace(session as unknown as Http2Session) };
}

it("does not read a connection while too many of its calls wait to be begun", () => {
  const { words, pace } = startPace();
  for (let call = 0; call < 64; call += 1) pace.enter();
  expect(words).toEqual([]);
  for (let call = 0; call < 10; call += 1) pace.enter();
  expect(words).toEqual(["stop"]);
  for (let call = 0; call < 10; call += 1) pace.leave();
  expect(words).toEqual(["stop", "start"]);
});

it("does not read a connection for ten times as long as was worked for nothing", () => {
  const { words, pace } = startPace();
  // What is left of the first milliseconds is free.
  pace.spend(5);
  expect(words).toEqual([]);
  pace.spend(20);
  expect(words).toEqual(["stop"]);
  vi.advanceTimersByTime(199);
  expect(words).toEqual(["stop"]);
  vi.advanceTimersByTime(2);
  expect(words).toEqual(["stop", "start"]);
});

it("rests on when more was done for nothing meanwhile, and never for good", () => {
  const { words, pace } = startPace();
  pace.spend(25);
  pace.spend(1_000);
  vi.advanceTimersByTime(1_000);
  expect(words).toEqual(["stop"]);
  vi.advanceTimersByTime(10_000);
  expect(words).toEqual(["stop", "start"]);
});

it("keeps no timer for a connection that has closed", () => {
  const { session, pace } = startPace();
  pace.spend(100);
  expect(vi.getTimerCount()).toBe(1);
  session.destroyed = true;
  session.emit("close");
  expect(vi.getTimerCount()).toBe(0);
});
