import { TurnLine } from "./turn-line.ts";

const perTurn = 8;

const line = new TurnLine();

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
    return line.next(this.#tenant);
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
