import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { MemoryRoom } from "../../../../src/sandbox/quickjs/engine/memory-room.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function roomOf(bytes: number) {
  const given: number[] = [];
  const refused: number[] = [];
  const room = new MemoryRoom({
    bytes: () => bytes,
    onGiven: (guest) => given.push(guest),
    onRefused: (guest) => refused.push(guest),
  });
  return { room, given, refused };
}

it("gives what fits at once, and leaves a ninth of all to other groups", () => {
  const { room } = roomOf(90);
  expect(room.ask(1, "loud", 80)).toBe(true);
  expect(room.ask(2, "loud", 1)).toBe(false);
  expect(room.ask(3, "quiet", 8)).toBe(true);
  expect(room.held).toBe(88);
});

it("gives what did not fit when somebody gives back, to the oldest run of a group first", () => {
  const { room, given } = roomOf(90);
  room.ask(1, "a", 70);
  expect([room.ask(3, "a", 60), room.ask(2, "a", 60)]).toEqual([false, false]);
  room.giveBack(1, 1);
  expect(given).toEqual([2]);
  room.giveBack(1);
  expect(room.held).toBe(60);
});

it("lets a run that was given memory have more of it before others of its group", () => {
  const { room, given } = roomOf(90);
  room.ask(1, "a", 78);
  for (const guest of [2, 3]) room.ask(guest, "a", 10);
  room.giveBack(1, 20);
  expect(given).toEqual([2]);
  expect(room.ask(2, "a", 30)).toBe(true);
  vi.advanceTimersByTime(300);
  expect(given).toEqual([2, 3]);
});

it("serves groups in turn, however many runs of one wait", () => {
  const { room, given } = roomOf(90);
  room.ask(1, "x", 80);
  for (const guest of [2, 3, 4]) room.ask(guest, "loud", 20);
  room.ask(5, "quiet", 20);
  room.giveBack(1);
  expect(given).toEqual([2, 5]);
});

it("refuses the youngest run of the group that holds most when nothing has moved for a while", () => {
  const { room, refused } = roomOf(90);
  room.ask(1, "loud", 40);
  room.ask(2, "loud", 20);
  room.ask(3, "quiet", 20);
  for (const guest of [1, 2]) room.ask(guest, "loud", 20);
  room.ask(3, "quiet", 20);
  vi.advanceTimersByTime(999);
  expect(refused).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(refused).toEqual([2]);
  vi.advanceTimersByTime(1_000);
  expect(refused).toEqual([2, 1]);
});

it("refuses nobody while those that wait are given something, and forgets who has ended", () => {
  const { room, given, refused } = roomOf(90);
  room.ask(1, "a", 80);
  for (const guest of [2, 3]) room.ask(guest, "b", 20);
  room.forget(3);
  vi.advanceTimersByTime(900);
  room.giveBack(1);
  vi.advanceTimersByTime(5_000);
  expect([given, refused]).toEqual([[2], []]);
});
