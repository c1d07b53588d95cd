import { onAbort } from "../shared/abort.ts";
import type { ExecutionEvent } from "../shared/model.ts";
import { AsyncQueue } from "../shared/queue.ts";
import { outputCost } from "./retained.ts";

/** Options of a `LeadingReader`. */
export interface LeadingReaderOptions {
  /** Output that it may be behind before the writer waits, bytes. */
  readonly highWaterBytes: number;
  /** It has seen the events up to here. */
  readonly afterSequence: number;
  /** The last event in the store; later ones are pushed. */
  readonly lastSequence: number;
  /** Reads as a follower does, to `lastSequence` where one is given. */
  readonly follow: (
    afterSequence: number,
    signal: AbortSignal,
    lastSequence?: number,
  ) => AsyncIterable<ExecutionEvent>;
}

// What sending an event costs beside its text, in bytes of text that could be sent meanwhile. It lets
// a flood of small writes wait early, and what waits before the log is joined to few large events.
const sendingBytes = 8 * 1024;

/**
 * The one reader of a log that loses nothing: the writer waits while it is far behind, and until it
 * has read what was there before it. Replaced by another, it goes on as a follower.
 */
export class LeadingReader {
  readonly #options: LeadingReaderOptions;
  readonly #queue: AsyncQueue<ExecutionEvent>;
  #isCatchingUp: boolean;
  #isFull = false;
  #isGone = false;
  #isReplaced = false;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(options: LeadingReaderOptions) {
    this.#options = options;
    this.#isCatchingUp = options.afterSequence < options.lastSequence;
    this.#queue = new AsyncQueue({
      sizeOf: (event) => (event.type === "output" ? outputCost(event) + sendingBytes : 0),
      highWater: options.highWaterBytes,
      onFull: () => {
        this.#isFull = true;
        this.#noteRoom();
      },
      onDrain: () => {
        this.#isFull = false;
        this.#noteRoom();
      },
    });
    this.#noteRoom();
  }

  /** What the writer waits for; undefined while the reader is near enough. */
  get room(): Promise<void> | undefined {
    return this.#room?.promise;
  }

  /** The next event, when it is in the store. */
  push(event: ExecutionEvent): void {
    this.#queue.push(event);
  }

  /** No more events; the reader gets what waits, then the error if there is one. */
  end(error?: unknown): void {
    this.#queue.end(error);
  }

  /** The events after its place, to `finished`. Once. */
  async *read(signal: AbortSignal): AsyncGenerator<ExecutionEvent, void, undefined> {
    using _ = onAbort(signal, () => this.leave());
    const { follow, afterSequence, lastSequence } = this.#options;
    let position = afterSequence;
    try {
      if (this.#isCatchingUp) {
        for await (const event of follow(position, signal, lastSequence)) {
          yield event;
          if (event.type === "finished") return;
          position = event.sequence;
        }
        this.#isCatchingUp = false;
        this.#noteRoom();
      }
      for await (const event of this.#queue) {
        yield event;
        if (event.type === "finished") return;
        position = event.sequence;
      }
      signal.throwIfAborted();
    } finally {
      this.leave();
    }
    if (this.#isReplaced) yield* follow(position, signal);
  }

  /** Another reader leads from now on. */
  replace(): void {
    this.#isReplaced = true;
    this.leave();
  }

  /** The writer waits for this reader no more. Idempotent. */
  leave(): void {
    this.#isGone = true;
    void this.#queue.return();
    this.#noteRoom();
  }

  #noteRoom(): void {
    if (!this.#isGone && (this.#isCatchingUp || this.#isFull)) {
      this.#room ??= Promise.withResolvers();
      return;
    }
    this.#room?.resolve();
    this.#room = undefined;
  }
}
