import { TurnLine } from "./turn-line.ts";

/** Work in steps: what it yields is of no matter, what it returns is its result. */
export type Steps<T> = Generator<void, T, undefined>;

// Of one turn of the event loop, for all work in steps together: whoever shares the loop waits that long.
const turnMs = 4;

const line = new TurnLine();

/**
 * Does work in steps so that no turn of the event loop is spent on more than a few milliseconds of it,
 * however much of it there is at the same time: work that takes longer goes on in later turns, one
 * after the other. A short one is done at once.
 */
export async function runInTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const endsAt = performance.now() + turnMs;
    while (performance.now() < endsAt) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
    await line.next();
  }
}

/** As `runInTurns`, from a later turn on: the present one has had enough to do. */
export async function runInLaterTurns<T>(steps: Steps<T>): Promise<T> {
  await line.next();
  return await runInTurns(steps);
}

/** Does all of the work at once. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
