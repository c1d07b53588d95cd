import { FairQueue } from "./fair-queue.ts";

const perTurn = 8;

const waiting = new FairQueue<() => void>();

/**
 * Bounds what a sequence of small things takes of one turn of the event loop, of which there may be
 * thousands at hand. Sequences go on in turn over their tenants.
 */
export class TurnMeter {
  readonly #tenant: string;
  #left = perTurn;

  constructor(tenant: string) {
    this.#tenant = tenant;
  }

  /** To be called before each of them; gives what it is to wait for, where it is to wait. */
  count(): Promise<void> | undefined {
    this.#left -= 1;
    if (this.#left >= 0) return undefined;
    this.#left = perTurn - 1;
    return nextTurn(this.#tenant);
  }
}

/** The same things, a few of them in a turn of the event loop. */
export async function* fewInTurn<T>(
  tenant: string,
  things: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const meter = new TurnMeter(tenant);
  for await (const thing of things) {
    await meter.count();
    yield thing;
  }
}

/** Resolves in a later turn of the event loop that nobody else who waits here has. */
function nextTurn(tenant: string): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(tenant, resolve);
    if (waiting.size === 1) setImmediate(give);
  });
}

function give(): void {
  waiting.take(() => true)?.();
  // From within an immediate the next one is of the next turn, with input and timers in between.
  if (waiting.size > 0) setImmediate(give);
}
