import { sleep } from "./abort.ts";

/** When something is tried again. */
export interface Retrying {
  /** Ends the waits between attempts. */
  readonly signal: AbortSignal;
  /** Wait before the next attempt, milliseconds; undefined to give up. `tries` counts those made. */
  readonly waitMs: (error: unknown, tries: number) => number | undefined;
}

/**
 * Runs an attempt until one succeeds or `waitMs` gives up; rejects with the last error, or with the
 * signal's reason when it aborts during a wait.
 */
export async function tryAgain<T>(
  { signal, waitMs }: Retrying,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const ms = signal.aborted ? undefined : waitMs(error, tries);
      if (ms === undefined) throw error;
      await sleep(ms, signal);
    }
  }
}
