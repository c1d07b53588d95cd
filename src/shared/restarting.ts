import { CodemodeError } from "./errors.ts";

// Engines take about as long to start again, and a second attempt to start one comes as soon.
const restartMs = 1_000;

/** The refusal of what needs an engine that is being started again: says when to come back. */
export function restarting(message: string, cause?: unknown): CodemodeError {
  return new CodemodeError("unavailable", message, { cause, retryAfterMs: restartMs });
}
