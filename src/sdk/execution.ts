import { onAbort, startDeadline } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { Outcome } from "../shared/model.ts";
import { Backlog, largeBacklog, smallBacklog } from "./backlog.ts";
import { CallScope, cancelledBy } from "./call-scope.ts";
import type { OpenCalls } from "./open-calls.ts";
import { ExecutionRecord } from "./record.ts";
import type { ExecutionResult, ReportHead } from "./result.ts";
import type { StreamEvent } from "./stream-event.ts";

/** What an execution is made of. */
export interface ExecutionParts<T> {
  /** The log, up to `finished`; throws CodemodeErrors. */
  readonly follow: (scope: CallScope) => AsyncIterator<StreamEvent>;
  /** Whether events are read at once, whoever waits for them: tools' calls come with them. */
  readonly readsAhead: () => boolean;
  /** Nobody will iterate: nothing needs to be kept. */
  readonly isDrained: boolean;
  /** The execution is over; what it holds can go. */
  readonly onOver: () => void;
  /** Cancels on the server, within a time of its own. */
  readonly cancel: (executionId: string) => Promise<unknown>;
  readonly toResult: (outcome: Outcome, head: ReportHead) => Promise<ExecutionResult<T>>;
  readonly calls: OpenCalls;
  readonly signal: AbortSignal | undefined;
  readonly correlationId: string;
}

/** A promise to settle. Methods, so that an execution of a T is one of a wider type too. */
interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: Promise<T>): void;
  reject(error: unknown): void;
}

/** The longest that a cancellation waits for the service, milliseconds; a guest is dead long before. */
export const graceMs = 2_000;

/**
 * A program that runs. Iterate it for its events, await `outcome` for its result, or both. It starts
 * at once; with neither, it waits when its output has filled the buffers on the way (about 1 MiB).
 * One iteration is shared by all who iterate.
 *
 * An iteration sets the pace: the program's output waits for it, nothing is dropped, and `outcome`
 * comes when it reaches the end. Asking for `outcome` while nobody waits for an event (before an
 * iteration, or in the middle of its loop) reads ahead instead; a loop that then goes on finds up to
 * 1 MiB of output kept, and a `trimmed` event where more was dropped.
 *
 * With tools the events are read at once whatever the pace, since the calls that come with them are
 * to be answered: a loop that is slow finds up to 16 MiB of output kept, more than the default limit of
 * output; without a loop it is 1 MiB, and beyond it tools' payloads are left out of their events.
 *
 * Leaving the loop by `break`, disposal (`await using`) and `cancel()` cancel the execution on the
 * server; `outcome` is then a failure with reason "cancelled", or what the program had reached.
 * When the `signal` of the options aborts, iteration and `outcome` reject as `cancelled`.
 */
export class Execution<T> implements AsyncIterable<StreamEvent, void, undefined>, AsyncDisposable {
  readonly #parts: ExecutionParts<T>;
  readonly #scope = new CallScope();
  readonly #record = new ExecutionRecord();
  readonly #backlog = new Backlog();
  readonly #id = Promise.withResolvers<string>();
  readonly #outcome: Deferred<ExecutionResult<T>> = Promise.withResolvers();
  readonly #events: AsyncIterator<StreamEvent>;
  #signalled: Disposable | undefined;
  #waiters: (() => void)[] = [];
  #reading: Promise<void> | undefined;
  #cancelling: Promise<void> | undefined;
  #isPaced = false;
  #isOver = false;
  #error: CodemodeError | undefined;

  constructor(parts: ExecutionParts<T>) {
    this.#parts = parts;
    this.#id.promise.catch(ignore);
    this.#outcome.promise.catch(ignore);
    this.#events = parts.follow(this.#scope);
    parts.calls.add(this.#call);
    this.#signalled = onAbort(parts.signal, () => this.#abandon());
    const { readsAhead } = parts;
    void this.#readUntil(() => this.#record.executionId !== undefined && !readsAhead());
  }

  /** Identity of the execution, once it has started; rejects when it never does. */
  get id(): Promise<string> {
    return this.#id.promise;
  }

  /**
   * How the program ended. Rejects with a CodemodeError when the service failed, the deadline passed
   * or the `signal` aborted; a rejection that nobody looks at is never reported as unhandled.
   */
  get outcome(): Promise<ExecutionResult<T>> {
    if (this.#waiters.length === 0) {
      this.#isPaced = false;
      // A loop that begins in this same step takes the pace before anything is read.
      queueMicrotask(() => void this.#readUntil(() => this.#isPaced));
    }
    return this.#outcome.promise;
  }

  /** Cancels on the server and resolves when the execution has ended. Never rejects; idempotent. */
  cancel(): Promise<void> {
    this.#cancelling ??= this.#cancel();
    return this.#cancelling;
  }

  /** The same as `cancel`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel();
  }

  /** The events from the first, in order, to `finished`. */
  [Symbol.asyncIterator](): AsyncIterator<StreamEvent, void, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        await this.cancel();
        this.#backlog.clear();
        this.#error = undefined;
        return { done: true, value: undefined };
      },
    };
  }

  readonly #call = { close: () => this.cancel() };

  async #next(): Promise<IteratorResult<StreamEvent, void>> {
    this.#isPaced = true;
    for (;;) {
      const event = this.#backlog.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#isOver) return this.#last();
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        this.#step();
      });
    }
  }

  #last(): IteratorResult<StreamEvent, void> {
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
    return { done: true, value: undefined };
  }

  /** Reads events into the backlog until a condition holds or the execution is over. */
  async #readUntil(isDone: () => boolean): Promise<void> {
    while (!this.#isOver && !isDone()) await this.#step();
  }

  /** Reads one event; those who ask while it is read share it. */
  #step(): Promise<void> {
    this.#reading ??= this.#read();
    return this.#reading;
  }

  async #read(): Promise<void> {
    try {
      const { done, value } = await this.#events.next();
      if (!this.#isOver && !done) this.#take(value);
    } catch (error) {
      this.#fail(CodemodeError.from(error));
    } finally {
      this.#reading = undefined;
      this.#wake();
    }
  }

  #take(event: StreamEvent): void {
    this.#record.add(event);
    if (!this.#parts.isDrained) {
      const isSlowLoop = this.#isPaced && this.#parts.readsAhead();
      this.#backlog.push(event, isSlowLoop ? largeBacklog : smallBacklog);
    }
    if (event.type === "started") this.#id.resolve(event.executionId);
    if (event.type !== "finished") return;
    this.#settle(event.outcome);
    // Lets the stream close in order; nothing that comes now matters.
    this.#events.next().catch(ignore);
  }

  #settle(outcome: Outcome): void {
    this.#end(new CodemodeError("cancelled", "the execution ended before it started"));
    const head = this.#record.head(this.#parts.correlationId);
    this.#outcome.resolve(this.#parts.toResult(outcome, head));
  }

  #fail(error: CodemodeError): void {
    if (this.#isOver) return;
    // `cancel` gave up waiting for the server's word, or had no id to ask for it.
    if (this.#cancelling !== undefined) {
      this.#settle(this.#record.cancelled());
      return;
    }
    this.#error = error;
    this.#end(error);
    this.#outcome.reject(error);
  }

  #end(idError: CodemodeError): void {
    this.#isOver = true;
    this.#id.reject(idError);
    this.#signalled?.[Symbol.dispose]();
    this.#parts.calls.delete(this.#call);
    this.#parts.onOver();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  async #cancel(): Promise<void> {
    if (this.#isOver) return;
    const { correlationId, cancel } = this.#parts;
    const error = new CodemodeError("cancelled", "the execution was cancelled", { correlationId });
    const giveUp = () => this.#scope.abort(error);
    using grace = startDeadline({ ms: graceMs, reason: error });
    using _ = onAbort(grace.signal, giveUp);
    const executionId = this.#record.executionId;
    if (executionId === undefined) giveUp();
    else cancel(executionId).catch(giveUp);
    await this.#readUntil(() => false);
  }

  /** The caller's signal aborted: it gets its error now, the server hears of it meanwhile. */
  #abandon(): void {
    if (this.#isOver || this.#cancelling !== undefined) return;
    const { signal, correlationId } = this.#parts;
    const executionId = this.#record.executionId;
    const error = cancelledBy(signal, { correlationId, executionId });
    this.#backlog.clear();
    this.#fail(error);
    this.#wake();
    this.#cancelling = this.#cancelInBackground(executionId, error);
  }

  async #cancelInBackground(executionId: string | undefined, error: CodemodeError): Promise<void> {
    const { calls, cancel } = this.#parts;
    calls.add(this.#call);
    if (executionId !== undefined) await cancel(executionId).catch(ignore);
    this.#scope.abort(error);
    calls.delete(this.#call);
  }
}

function ignore(): void {}
