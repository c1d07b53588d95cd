import { CodemodeError } from "../shared/errors.ts";

// Sooner than this a retry is not worth its cost, and later than this an estimate is worth nothing.
const soonestMs = 50;
const latestMs = 5_000;

/** What the time until there is room is estimated from. */
export interface Line {
  /** Requests that may wait. */
  readonly size: number;
  /** Slots that serve them. */
  readonly slots: number;
  /** Mean time that a slot is held, milliseconds. */
  readonly meanHoldMs: number;
}

/** When all that waits now and one more will have been served, milliseconds, 50 to 5,000. */
export function waitOf({ size, slots, meanHoldMs }: Line): number {
  return Math.min(Math.max((meanHoldMs * (size + 1)) / slots, soonestMs), latestMs);
}

/** The refusal of a request to a dispatcher that drains. */
export function draining(): CodemodeError {
  return new CodemodeError("unavailable", "the service is draining", { retryAfterMs: 1_000 });
}
