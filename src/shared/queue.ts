/** Options of an `AsyncQueue`. */
export interface AsyncQueueOptions<T> {
  /** Size of one item, in the unit of `highWater`. */
  readonly sizeOf: (item: T) => number;
  /** Size at which `onFull` is called. */
  readonly highWater: number;
  /** The producer should pause. */
  readonly onFull: () => void;
  /** The producer may go on; called when half of `highWater` has been read. */
  readonly onDrain: () => void;
  /** Joins an item to the last one waiting, or gives undefined where the two must stay apart. */
  readonly merge?: (last: T, next: T) => T | undefined;
}

/**
 * Carries items from callbacks to one async reader, in order; tells the producer to pause
 * when the reader falls behind. Items pushed after `end` or `return` are dropped.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  readonly #options: AsyncQueueOptions<T>;
  #items: T[] = [];
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
    if (this.#waiting !== undefined) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve({ done: false, value: item });
      return;
    }
    this.#size += this.#options.sizeOf(item);
    const last = this.#items.length > this.#head ? this.#items.at(-1) : undefined;
    const merged = last === undefined ? undefined : this.#options.merge?.(last, item);
    if (merged === undefined) this.#items.push(item);
    else this.#items[this.#items.length - 1] = merged;
    if (!this.#isFull && this.#size >= this.#options.highWater) {
      this.#isFull = true;
      this.#options.onFull();
    }
  }

  /** No more items; the reader gets what is waiting first, then the error if there is one. */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    if (error === undefined) waiting.resolve({ done: true, value: undefined });
    else waiting.reject(error);
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#head < this.#items.length)
      return Promise.resolve({ done: false, value: this.#shift() });
    if (this.#isEnded) {
      const error = this.#error;
      this.#error = undefined;
      if (error !== undefined) return Promise.reject(error);
      return Promise.resolve({ done: true, value: undefined });
    }
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  return(): Promise<IteratorResult<T>> {
    this.#items = [];
    this.#head = 0;
    this.#error = undefined;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #shift(): T {
    const item = this.#items[this.#head] as T;
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    this.#size -= this.#options.sizeOf(item);
    if (this.#isFull && this.#size <= this.#options.highWater / 2) {
      this.#isFull = false;
      this.#options.onDrain();
    }
    return item;
  }
}
