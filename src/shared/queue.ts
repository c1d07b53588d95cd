/** Options of an `AsyncQueue`. */
export interface AsyncQueueOptions<T> {
  /** Size of one item, in the unit of `highWater`. */
  readonly sizeOf: (item: T) => number;
  /** Size at which `onFull` is called. */
  readonly highWater: number;
  /** The producer should pause. */
  readonly onFull: () => void;
  /** The producer may go on; called when half of `highWater` has been read, or the reader left. */
  readonly onDrain: () => void;
  /** Joins an item to the last one waiting, or gives undefined where the two must stay apart. */
  readonly merge?: (last: T, next: T) => T | undefined;
}

interface Entry<T> {
  item: T;
  size: number;
}

// Below this many dead entries at the head, copying the living ones costs more than it frees.
const compactAfter = 256;

/**
 * Carries items from callbacks to one async reader, in order; tells the producer to pause
 * when the reader falls behind. Items pushed after `end` or `return` are dropped.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  readonly #options: AsyncQueueOptions<T>;
  #entries: (Entry<T> | undefined)[] = [];
  #head = 0;
  #size = 0;
  #isFull = false;
  #isEnded = false;
  #error: unknown;
  #waiting: PromiseWithResolvers<IteratorResult<T>> | undefined;

  constructor(options: AsyncQueueOptions<T>) {
    this.#options = options;
  }

  push(item: T): void {
    if (this.#isEnded) return;
    const waiting = this.#takeWaiting();
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value: item });
      return;
    }
    this.#append(item);
    if (!this.#isFull && this.#size >= this.#options.highWater) {
      this.#isFull = true;
      this.#options.onFull();
    }
  }

  /** No more items; the reader gets what is waiting first, then the error if there is one. */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const waiting = this.#takeWaiting();
    if (waiting === undefined) this.#error = error;
    else if (error === undefined) waiting.resolve({ done: true, value: undefined });
    else waiting.reject(error);
  }

  /** The next item. One reader: call it again only when the last call has settled. */
  next(): Promise<IteratorResult<T>> {
    const entry = this.#shift();
    if (entry !== undefined) return Promise.resolve({ done: false, value: entry.item });
    if (!this.#isEnded) {
      this.#waiting = Promise.withResolvers();
      return this.#waiting.promise;
    }
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) return Promise.reject(error);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The reader leaves: what waits is dropped, and a paused producer goes on to its end. */
  return(): Promise<IteratorResult<T>> {
    this.#entries = [];
    this.#head = 0;
    this.#size = 0;
    this.end();
    this.#error = undefined;
    this.#noteDrain();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #takeWaiting(): PromiseWithResolvers<IteratorResult<T>> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #append(item: T): void {
    const size = this.#options.sizeOf(item);
    this.#size += size;
    const last = this.#entries.length > this.#head ? this.#entries.at(-1) : undefined;
    const merged = last && this.#options.merge?.(last.item, item);
    if (last === undefined || merged === undefined) {
      this.#entries.push({ item, size });
      return;
    }
    last.item = merged;
    // What was added is what is taken off again, even where a merged item measures differently.
    last.size += size;
  }

  #shift(): Entry<T> | undefined {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return undefined;
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head >= compactAfter && this.#head * 2 >= this.#entries.length) {
      // A queue that is never empty would otherwise hold every entry that it ever carried.
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    this.#size -= entry.size;
    if (this.#size <= this.#options.highWater / 2) this.#noteDrain();
    return entry;
  }

  #noteDrain(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#options.onDrain();
  }
}
