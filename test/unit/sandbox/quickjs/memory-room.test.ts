import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { MemoryRoom } from "../../../../src/sandbox/quickjs/engine/memory-room.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function roomOf(bytes: number) {
  const given: number[] = [];
  const refused: number[] = [];
  const room = new MemoryRoom({
    bytes,
    onGiven: (guest) => given.push(guest),
    onRefused: (guest) => refused.push(guest),
  });
  const grow = (guest: number, group: string, size: number) =>
    room.ask({ guest, group, bytes: size, isNew: false });
  const start = (guest: number, group: string, size: number) =>
    room.ask({ guest, group, bytes: size, isNew: true });
  return { room, grow, start, given, refused };
}

it("gives what fits at once, and leaves a ninth of all to other groups", () => {
  const { room, grow } = roomOf(90);
  expect(grow(1, "loud", 80)).toBe(true);
  expect(grow(2, "loud", 1)).toBe(false);
  expect(grow(3, "quiet", 8)).toBe(true);
  expect(room.held).toBe(88);
});

it("gives what did not fit when somebody gives back, to the oldest run of a group first", () => {
  const { room, grow, given } = roomOf(90);
  grow(1, "a", 70);
  expect([grow(3, "a", 60), grow(2, "a", 60)]).toEqual([false, false]);
  room.giveBack(1, 1);
  expect(given).toEqual([2]);
  room.giveBack(1);
  expect(room.held).toBe(60);
});

it("lets a run that was given memory have more of it before others of its group", () => {
  const { room, grow, given } = roomOf(90);
  grow(1, "a", 78);
  for (const guest of [2, 3]) grow(guest, "a", 10);
  room.giveBack(1, 20);
  expect(given).toEqual([2]);
  expect(grow(2, "a", 30)).toBe(true);
  vi.advanceTimersByTime(300);
  expect(given).toEqual([2, 3]);
});

it("serves groups in turn, however many runs of one wait", () => {
  const { room, grow, given } = roomOf(90);
  grow(1, "x", 80);
  for (const guest of [2, 3, 4]) grow(guest, "loud", 20);
  grow(5, "quiet", 20);
  room.giveBack(1);
  expect(given).toEqual([2, 5]);
});

it("refuses the youngest run of the group that holds most when nothing has moved for a while", () => {
  const { grow, refused } = roomOf(90);
  grow(1, "loud", 40);
  grow(2, "loud", 20);
  grow(3, "quiet", 20);
  for (const guest of [1, 2]) grow(guest, "loud", 20);
  grow(3, "quiet", 20);
  vi.advanceTimersByTime(999);
  expect(refused).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(refused).toEqual([2]);
  vi.advanceTimersByTime(1_000);
  expect(refused).toEqual([2, 1]);
});

it("refuses nobody while those that wait are given something, and forgets who has ended", () => {
  const { room, grow, given, refused } = roomOf(90);
  grow(1, "a", 80);
  for (const guest of [2, 3]) grow(guest, "b", 20);
  room.forget(3);
  vi.advanceTimersByTime(900);
  room.giveBack(1);
  vi.advanceTimersByTime(5_000);
  expect([given, refused]).toEqual([[2], []]);
});

it("begins a run of a group although one of it waits to grow", () => {
  const { grow, start, given } = roomOf(90);
  grow(1, "a", 70);
  expect(grow(1, "a", 20)).toBe(false);
  expect(start(2, "a", 2)).toBe(true);
  expect(given).toEqual([]);
});

it("refuses those that grow before those that have not begun", () => {
  const { grow, start, refused } = roomOf(90);
  grow(1, "a", 80);
  grow(2, "a", 5);
  expect(start(3, "a", 2)).toBe(false);
  vi.advanceTimersByTime(1_100);
  expect(refused).toEqual([2]);
});

it("refuses at once what a run could not have if it were alone", () => {
  const { grow, refused } = roomOf(90);
  expect([grow(1, "a", 81), refused]).toEqual([false, [1]]);
  grow(2, "a", 50);
  expect([grow(2, "a", 31), refused]).toEqual([false, [1, 2]]);
});

it("refuses a run whose group gets nothing, however much moves in another", () => {
  const { room, grow, refused } = roomOf(90);
  grow(1, "stuck", 40);
  grow(1, "stuck", 30);
  grow(2, "busy", 30);
  grow(1, "stuck", 20);
  for (let round = 0; round < 12; round += 1) {
    grow(2, "busy", 20);
    vi.advanceTimersByTime(100);
    room.giveBack(2, 10);
  }
  expect(refused).toContain(1);
});
