import { onAbort, untilAborted } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { EventBody, ExecutionEvent } from "../shared/model.ts";
import { AsyncQueue } from "../shared/queue.ts";
import { outputCost } from "./retained.ts";
import type { ExecutionStore } from "./store.ts";

/** Options of an `ExecutionLog`. */
export interface ExecutionLogOptions {
  readonly store: ExecutionStore;
  readonly executionId: string;
  /** When it aborts, appends no longer wait for the leading reader: the program is being ended. */
  readonly signal: AbortSignal;
  /** Output that the leading reader may be behind before appends wait, bytes. Default 256 KiB. */
  readonly highWaterBytes?: number | undefined;
}

// What sending an event costs beside its text, in bytes of text that could be sent meanwhile. It lets
// a flood of small writes wait early, and what waits before the log is joined to few large events.
const eventBytes = 8 * 1024;

// Events that a following reader takes from the store at a time.
const pageSize = 64;

/**
 * The log of one execution, and its only writer. Numbers events, writes them to the store, then
 * shows them to readers. One reader leads: it loses nothing, and appends wait while it is far
 * behind. Others follow what the store keeps and never hold the writer up.
 */
export class ExecutionLog {
  readonly #options: ExecutionLogOptions;
  readonly #leading: AsyncQueue<ExecutionEvent>;
  #writerEpoch: number | undefined;
  #sequence = 0;
  /** Nothing may be appended any more. */
  #isEnded = false;
  /** `finished` is in the store. */
  #isFinished = false;
  #written: Promise<void> = Promise.resolve();
  /** Pending while the leading reader is far behind. */
  #room: PromiseWithResolvers<void> | undefined;
  /** Settles when the next event has been written; made only when a follower waits for it. */
  #arrival: PromiseWithResolvers<void> | undefined;
  #fault: { readonly error: unknown } | undefined;

  constructor(options: ExecutionLogOptions) {
    this.#options = options;
    this.#leading = new AsyncQueue({
      sizeOf: (event) => (event.type === "output" ? outputCost(event) + eventBytes : 0),
      highWater: options.highWaterBytes ?? 256 * 1024,
      onFull: () => {
        this.#room = Promise.withResolvers();
      },
      onDrain: () => {
        this.#room?.resolve();
        this.#room = undefined;
      },
    });
  }

  /** Claims the log for writing; once, before the first append. */
  async open(): Promise<void> {
    const { store, executionId } = this.#options;
    const { writerEpoch, lastSequence } = await store.open(executionId);
    this.#writerEpoch = writerEpoch;
    this.#sequence = lastSequence;
  }

  /**
   * Appends an event; resolves when it is in the store and the leading reader is near enough.
   * Nothing may be appended after `finished`. A store that fails ends the log for its readers too.
   */
  async append(body: EventBody): Promise<void> {
    if (this.#isEnded) throw new Error(`the log has ended: ${body.type} comes too late`);
    this.#isEnded = body.type === "finished";
    this.#sequence += 1;
    const event = { ...body, sequence: this.#sequence, time: new Date(), attempt: 1 };
    // One after the other, so that a store may take its time and the order holds.
    this.#written = this.#written.then(() => this.#write(event));
    await this.#written;
    if (this.#room !== undefined && !this.#isEnded) await this.#untilRoom(this.#room.promise);
  }

  /** Ends the log without `finished`, because its program never started: readers get the error. */
  end(error: unknown): void {
    this.#isEnded = true;
    this.#fault ??= { error };
    this.#leading.end(error);
    this.#arrival?.resolve();
  }

  /** The events from the first to `finished`, for the one reader that leads. Once. */
  async *lead(signal: AbortSignal): AsyncGenerator<ExecutionEvent, void, undefined> {
    using _ = onAbort(signal, () => this.leave());
    try {
      for await (const event of this.#leading) {
        yield event;
        if (event.type === "finished") return;
      }
      signal.throwIfAborted();
    } finally {
      this.leave();
    }
  }

  /** The leading reader is gone: appends wait for nobody. */
  leave(): void {
    void this.#leading.return();
  }

  /**
   * Kept and then live events after a sequence, to `finished`. From 0, `trimmed` events stand where
   * output was dropped; a reader that had a place and lost it gets a CodemodeError `out_of_range`.
   */
  async *follow(
    afterSequence: number,
    signal: AbortSignal,
  ): AsyncGenerator<ExecutionEvent, void, undefined> {
    const { store, executionId } = this.#options;
    let position = afterSequence;
    let isFresh = afterSequence === 0;
    for (;;) {
      // Taken before the read, so that an event between the read and the wait is not missed.
      this.#arrival ??= Promise.withResolvers();
      const arrival = this.#arrival.promise;
      const page = await untilAborted(store.read(executionId, position, pageSize), signal);
      if (position > page.lastSequence) throw beyondEnd(position, page.lastSequence);
      for (const event of page.events) {
        if (event.type === "trimmed" && !isFresh) throw fellBehind(position, event.sequence);
        signal.throwIfAborted();
        yield event;
        if (event.type === "finished") return;
        position = event.sequence;
      }
      if (page.events.length > 0) continue;
      if (this.#fault !== undefined) throw this.#fault.error;
      if (this.#isFinished) return;
      isFresh = false;
      await untilAborted(arrival, signal);
    }
  }

  async #write(event: ExecutionEvent): Promise<void> {
    const { store, executionId } = this.#options;
    if (this.#writerEpoch === undefined) throw new Error("the log is not open");
    try {
      await store.append(executionId, this.#writerEpoch, [event]);
    } catch (error) {
      this.end(error);
      throw error;
    }
    this.#isFinished = event.type === "finished";
    this.#leading.push(event);
    this.#arrival?.resolve();
    this.#arrival = undefined;
  }

  async #untilRoom(room: Promise<void>): Promise<void> {
    const { promise: stopped, resolve } = Promise.withResolvers<void>();
    using _ = onAbort(this.#options.signal, () => resolve());
    await Promise.race([room, stopped]);
  }
}

function fellBehind(position: number, trimmedTo: number): CodemodeError {
  return new CodemodeError(
    "out_of_range",
    `output after event ${position} is no longer kept: the log goes on after event ${trimmedTo}`,
  );
}

function beyondEnd(position: number, lastSequence: number): CodemodeError {
  return new CodemodeError(
    "out_of_range",
    `there is no event ${position}: the log ends at event ${lastSequence}`,
  );
}
