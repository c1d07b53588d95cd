import { EventEmitter } from "node:events";
import type { Http2Session } from "node:http2";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Pace } from "../../../src/server/pace.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A session as far as a pace knows it, and how its socket begins and ceases to be read. */
function startPace() {
  const words: string[] = [];
  let isRead = true;
  const change = (word: "start" | "stop") => () => {
    if (isRead !== (word === "start")) words.push(word);
    isRead = word === "start";
  };
  const handle = { readStop: change("stop"), readStart: change("start") };
  const session = Object.assign(new EventEmitter(), {
    destroyed: false,
    socket: { _handle: handle },
  });
  return { words, handle, session, pace: new Pace(session as unknown as Http2Session) };
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

// It does so when a write has ended for which it had ceased to read: the peer chooses when that is.
it("stops again what Node has begun to read by itself", () => {
  const { words, handle, pace } = startPace();
  pace.spend(25);
  handle.readStart();
  pace.spend(1);
  expect(words).toEqual(["stop", "start", "stop"]);
  for (let call = 0; call < 65; call += 1) pace.enter();
  handle.readStart();
  pace.enter();
  expect(words).toEqual(["stop", "start", "stop", "start", "stop"]);
});

it("keeps no timer for a connection that has closed", () => {
  const { session, pace } = startPace();
  pace.spend(100);
  expect(vi.getTimerCount()).toBe(1);
  session.destroyed = true;
  session.emit("close");
  expect(vi.getTimerCount()).toBe(0);
});
