import { onAbort, untilAborted } from "../shared/abort.ts";
import type { EventBody, ExecutionEvent } from "../shared/model.ts";
import { checkPlace, type FollowOptions, follow } from "./follow.ts";
import { LeadingReader } from "./leading.ts";
import type { ExecutionStore } from "./store.ts";

/** Options of an `ExecutionLog`. */
export interface ExecutionLogOptions {
  readonly store: ExecutionStore;
  readonly executionId: string;
  /** When it aborts, appends no longer wait for the leading reader: the program is being ended. */
  readonly signal: AbortSignal;
  /** Output that the leading reader may be behind before appends wait, bytes. Default 256 KiB. */
  readonly highWaterBytes?: number | undefined;
  /** Told by how many bytes an append changed what the store holds. */
  readonly onGrowth?: ((bytes: number) => void) | undefined;
}

/**
 * The log of one execution, and its only writer. Numbers events, writes them to the store, then
 * shows them to readers. At most one reader leads: it loses nothing, and appends wait while it is
 * far behind. Others follow what the store keeps and never hold the writer up.
 */
export class ExecutionLog {
  readonly #options: ExecutionLogOptions;
  /** Resolves when the log is open, or never will be. */
  readonly #opened = Promise.withResolvers<void>();
  #leading: LeadingReader | undefined;
  #writerEpoch: number | undefined;
  /** Of the last event that was numbered. */
  #sequence = 0;
  /** Of the last event in the store. */
  #writtenSequence = 0;
  #bytes = 0;
  /** Nothing may be appended any more. */
  #isEnded = false;
  /** `finished` is in the store. */
  #isFinished = false;
  #written: Promise<void> = Promise.resolve();
  /** Settles when the next event has been written; made only when a follower waits for it. */
  #arrival: PromiseWithResolvers<void> | undefined;
  #fault: { readonly error: unknown } | undefined;

  constructor(options: ExecutionLogOptions) {
    this.#options = options;
  }

  /** Sequence of the last event, whether or not it is in the store yet; 0 for an empty log. */
  get lastSequence(): number {
    return this.#sequence;
  }

  /** What the store holds of it, bytes as `eventCost` counts them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `finished` has been appended, or the log has come to an end without. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Claims the log for writing; once, before the first append. */
  async open(): Promise<void> {
    const { store, executionId } = this.#options;
    const { writerEpoch, lastSequence } = await store.open(executionId);
    this.#writerEpoch = writerEpoch;
    this.#sequence = lastSequence;
    this.#writtenSequence = lastSequence;
    this.#opened.resolve();
  }

  /**
   * Appends an event; resolves when it is in the store and the leading reader is near enough.
   * Nothing may be appended after `finished`. A store that fails ends the log for its readers too.
   */
  async append(body: EventBody): Promise<void> {
    // Output that is dropped for this one may be what a reader that has just come has yet to read.
    if (body.type === "output" && this.#room !== undefined) await this.#untilRoom(this.#room);
    await this.note(body);
    if (this.#room !== undefined) await this.#untilRoom(this.#room);
  }

  /** Appends an event; resolves when it is in the store, and waits for no reader. */
  async note(body: EventBody): Promise<void> {
    if (this.#isEnded) throw new Error(`the log has ended: ${body.type} comes too late`);
    this.#isEnded = body.type === "finished";
    this.#sequence += 1;
    const event = { ...body, sequence: this.#sequence, time: new Date(), attempt: 1 };
    // One after the other, so that a store may take its time and the order holds.
    this.#written = this.#written.then(() => this.#write(event));
    await this.#written;
  }

  /** Ends the log without `finished`, because its program never started: readers get the error. */
  end(error: unknown): void {
    this.#isEnded = true;
    this.#fault ??= { error };
    this.#leading?.end(error);
    this.#opened.resolve();
    this.#noteArrival();
  }

  /** Makes the reader that leads from now on; the one before it goes on as a follower. */
  lead(afterSequence = 0): LeadingReader {
    this.#leading?.replace();
    this.#leading = new LeadingReader({
      highWaterBytes: this.#options.highWaterBytes ?? 256 * 1024,
      afterSequence,
      lastSequence: this.#writtenSequence,
      follow: (after, signal, last) => this.follow(after, signal, last),
    });
    if (this.#isFinished || this.#fault !== undefined) this.#leading.end(this.#fault?.error);
    return this.#leading;
  }

  /** As `follow` in follow.ts, to `lastSequence` where one is given. */
  async *follow(
    afterSequence: number,
    signal: AbortSignal,
    lastSequence?: number,
  ): AsyncGenerator<ExecutionEvent, void, undefined> {
    yield* follow(await this.#place(afterSequence, signal, lastSequence), signal);
  }

  /** Rejects with a CodemodeError `out_of_range` where no reader can go on after a sequence. */
  async checkPlace(afterSequence: number, signal: AbortSignal): Promise<void> {
    await untilAborted(checkPlace(await this.#place(afterSequence, signal)), signal);
  }

  async #place(
    afterSequence: number,
    signal: AbortSignal,
    lastSequence?: number,
  ): Promise<FollowOptions> {
    await untilAborted(this.#opened.promise, signal);
    if (this.#writerEpoch === undefined) throw this.#fault?.error;
    const { store, executionId } = this.#options;
    const isEndless = lastSequence === undefined;
    const place = { store, executionId, afterSequence, ...(!isEndless && { lastSequence }) };
    return { ...place, tail: this.#tail() };
  }

  #tail() {
    const log = this;
    return {
      get isOver() {
        return log.#isFinished;
      },
      get fault() {
        return log.#fault;
      },
      arrival() {
        log.#arrival ??= Promise.withResolvers();
        return log.#arrival.promise;
      },
    };
  }

  async #write(event: ExecutionEvent): Promise<void> {
    const { store, executionId, onGrowth } = this.#options;
    if (this.#writerEpoch === undefined) throw new Error("the log is not open");
    try {
      const { keptBytes } = await store.append(executionId, this.#writerEpoch, [event]);
      onGrowth?.(keptBytes - this.#bytes);
      this.#bytes = keptBytes;
    } catch (error) {
      this.end(error);
      throw error;
    }
    this.#writtenSequence = event.sequence;
    this.#isFinished = event.type === "finished";
    this.#leading?.push(event);
    this.#noteArrival();
  }

  #noteArrival(): void {
    this.#arrival?.resolve();
    this.#arrival = undefined;
  }

  /** What an append waits for; undefined when the leading reader is near enough. */
  get #room(): Promise<void> | undefined {
    return this.#isEnded ? undefined : this.#leading?.room;
  }

  async #untilRoom(room: Promise<void>): Promise<void> {
    const { promise: stopped, resolve } = Promise.withResolvers<void>();
    using _ = onAbort(this.#options.signal, () => resolve());
    await Promise.race([room, stopped]);
  }
}
