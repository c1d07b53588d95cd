import { host } from "./host.ts";
import {
  append,
  apply,
  isFiniteNumber,
  mapDelete,
  mapGet,
  mapSet,
  mapSize,
  max,
  NewMap,
  NewTypeError,
  now,
  toNumber,
} from "./primordials.ts";

// As in Node: longer times fire at once.
const longestMs = 2 ** 31 - 1;

interface Timer {
  readonly id: number;
  readonly callback: (...args: unknown[]) => unknown;
  readonly args: unknown[];
  /** Undefined for a timer that fires once. */
  readonly everyMs: number | undefined;
  /** It keeps no program from its end. */
  readonly isIdle: boolean;
  dueMs: number;
  /** Among timers that are due at the same time, the one that was set first fires first. */
  order: number;
}

const timers = new NewMap<number, Timer>();
/** A heap by time and order; those that were cleared stay in it until they are due. */
const heap: Timer[] = [];
/** How many keep no program from its end. */
let idle = 0;
let lastId = 0;
let lastOrder = 0;
let wakeMs = -1;

function start(
  given: unknown,
  ms: unknown,
  args: unknown[],
  { isRepeated = false, isIdle = false }: { isRepeated?: boolean; isIdle?: boolean },
): number {
  if (typeof given !== "function") throw new NewTypeError("the callback must be a function");
  const asked = toNumber(ms);
  const delayMs = isFiniteNumber(asked) && asked >= 1 && asked <= longestMs ? asked : 1;
  const timer: Timer = {
    id: ++lastId,
    callback: given as Timer["callback"],
    args,
    everyMs: isRepeated ? delayMs : undefined,
    isIdle,
    dueMs: now() + delayMs,
    order: ++lastOrder,
  };
  mapSet(timers, timer.id, timer);
  if (isIdle) idle += 1;
  push(timer);
  schedule();
  return timer.id;
}

function drop(timer: Timer | undefined): void {
  if (timer !== undefined && mapDelete(timers, timer.id) && timer.isIdle) idle -= 1;
}

/** Stops a timer; anything that is none is ignored. */
export function clear(id: unknown): void {
  drop(mapGet(timers, typeof id === "number" ? id : toNumber(id)) as Timer | undefined);
}

/** Starts a timer that fires once. */
export function setTimer(callback: unknown, ms: unknown, args: unknown[], isIdle = false): number {
  return start(callback, ms, args, { isIdle });
}

/** Starts a timer that fires again and again. */
export function setRepeatedTimer(callback: unknown, ms: unknown, args: unknown[]): number {
  return start(callback, ms, args, { isRepeated: true });
}

/** Timers for which a program goes on: they are set and have not fired for the last time. */
export function timerCount(): number {
  return (mapSize(timers) as number) - idle;
}

/** Whether any timer may still fire. */
export function hasTimers(): boolean {
  return (mapSize(timers) as number) > 0;
}

/** Fires one timer that is due. Gives whether another one may be: what it has started runs first. */
export function fireNext(): boolean {
  wakeMs = -1;
  const timer = peek();
  if (timer === undefined || timer.dueMs > now()) {
    schedule();
    return false;
  }
  pop();
  if (timer.everyMs === undefined) {
    drop(timer);
  } else {
    timer.dueMs = max(now(), timer.dueMs) + timer.everyMs;
    timer.order = ++lastOrder;
    push(timer);
  }
  apply(timer.callback, undefined, timer.args);
  return true;
}

/** Asks to be woken when the first timer is due. */
function schedule(): void {
  const timer = peek();
  const dueMs = timer === undefined ? -1 : timer.dueMs;
  if (dueMs === wakeMs) return;
  wakeMs = dueMs;
  host.w(timer === undefined ? -1 : max(0, timer.dueMs - now()));
}

function peek(): Timer | undefined {
  while (heap.length > 0 && mapGet(timers, (heap[0] as Timer).id) !== heap[0]) pop();
  return heap[0];
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.dueMs === other.dueMs ? one.order < other.order : one.dueMs < other.dueMs;
}

function push(timer: Timer): void {
  append(heap, timer);
  let at = heap.length - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (!isBefore(timer, heap[above] as Timer)) break;
    heap[at] = heap[above] as Timer;
    at = above;
  }
  heap[at] = timer;
}

function pop(): void {
  const last = heap[heap.length - 1] as Timer;
  heap.length -= 1;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) break;
    const right = left + 1;
    const isRightFirst = right < heap.length && isBefore(heap[right] as Timer, heap[left] as Timer);
    const least = isRightFirst ? right : left;
    if (!isBefore(heap[least] as Timer, last)) break;
    heap[at] = heap[least] as Timer;
    at = least;
  }
  heap[at] = last;
}
