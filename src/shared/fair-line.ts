import { onAbort } from "./abort.ts";
import { FairQueue } from "./fair-queue.ts";

interface Asker<T> extends PromiseWithResolvers<T> {
  readonly group: string;
}

/** Those who wait for things of which there are too few; groups are served in turn, each first come, first served. */
export class FairLine<T> {
  readonly #askers = new FairQueue<Asker<T>>();

  /** Askers that wait. */
  get size(): number {
    return this.#askers.size;
  }

  /** Waits for a thing; rejects with `signal.reason` when that aborts before, and is out of the line then. */
  async wait(group: string, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const asker = { group, ...Promise.withResolvers<T>() };
    const place = this.#askers.push(group, asker);
    using _ = onAbort(signal, (reason) => {
      if (this.#askers.remove(place)) asker.reject(reason);
    });
    return await asker.promise;
  }

  /** Gives a thing to the next group that may be served, and says which; undefined when none waits. */
  give(thing: T, mayServe: (group: string) => boolean = () => true): string | undefined {
    const asker = this.#askers.take(mayServe);
    asker?.resolve(thing);
    return asker?.group;
  }

  /** Tells everybody who waits that there will be nothing. */
  refuseAll(error: unknown): void {
    for (const asker of this.#askers.clear()) asker.reject(error);
  }
}
