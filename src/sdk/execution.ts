import { onAbort, startDeadline } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { Outcome } from "../shared/model.ts";
import { CallScope, cancelledBy } from "./call-scope.ts";
import { graceMs } from "./cancel.ts";
import { EventReader } from "./event-reader.ts";
import type { OpenCalls } from "./open-calls.ts";
import { ExecutionRecord } from "./record.ts";
import type { ExecutionResult, ReportHead } from "./result.ts";
import type { StreamEvent } from "./stream-event.ts";

/** What an execution is made of. */
export interface ExecutionParts<T> {
  /** The log, up to `finished`; the outcome where no event was left. Throws CodemodeErrors. */
  readonly follow: (
    scope: CallScope,
    reading: LogReading,
  ) => AsyncIterator<StreamEvent, Outcome | undefined>;
  /** Undefined for one that is only now started. */
  readonly executionId: string | undefined;
  /** It was started here, so that leaving it ends it. */
  readonly isOwner: boolean;
  /** Whether events are read at once, whoever waits for them: tools' calls come with them. */
  readonly readsAhead: () => boolean;
  /** Nobody will iterate: nothing needs to be kept. */
  readonly isDrained: boolean;
  /** The execution is over; what it holds can go. */
  readonly onOver: () => void;
  /** Cancels on the server, within a time of its own; without an id what was sent, if anything was. */
  readonly cancel: (executionId: string | undefined) => Promise<void>;
  readonly toResult: (outcome: Outcome, head: ReportHead) => Promise<ExecutionResult<T>>;
  readonly calls: OpenCalls;
  readonly signal: AbortSignal | undefined;
  readonly correlationId: string;
}

/** What the one who follows a log may ask of the one who reads it. */
export interface LogReading {
  /** Reads on, whatever the pace, until a condition holds. */
  readonly readOn: (until: () => boolean) => void;
  /** The execution has started, and its log does not say which it is. */
  readonly found: (executionId: string) => void;
}

/** Where an execution was left, for `Codemode.attach`. */
export interface Detached {
  readonly executionId: string;
  /** Sequence of the last event that the iteration gave; 0 without one. */
  readonly afterSequence: number;
}

/** A promise to settle. Methods, so that an execution of a T is one of a wider type too. */
interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: Promise<T>): void;
  reject(error: unknown): void;
}

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
 * A lost connection is not seen here: the execution is attached to again, every event comes once and
 * in order, and tools run on. `execution_lost` says that there was no way back.
 *
 * Leaving the loop by `break`, disposal (`await using`) and `cancel()` cancel the execution on the
 * server; `outcome` is then a failure with reason "cancelled", or what the program had reached.
 * When the `signal` of the options aborts, iteration and `outcome` reject as `cancelled`. An execution
 * of `Codemode.attach` runs on when it is left, and only `cancel()` ends it.
 */
export class Execution<T> implements AsyncIterable<StreamEvent, void, undefined>, AsyncDisposable {
  readonly #parts: ExecutionParts<T>;
  readonly #scope = new CallScope();
  readonly #record: ExecutionRecord;
  readonly #reader: EventReader;
  readonly #id = Promise.withResolvers<string>();
  readonly #outcome: Deferred<ExecutionResult<T>> = Promise.withResolvers();
  #signalled: Disposable | undefined;
  #cancelling: Promise<void> | undefined;
  #isOver = false;

  constructor(parts: ExecutionParts<T>) {
    this.#parts = parts;
    const { executionId, readsAhead, isDrained } = parts;
    this.#id.promise.catch(ignore);
    this.#outcome.promise.catch(ignore);
    if (executionId !== undefined) this.#id.resolve(executionId);
    this.#record = new ExecutionRecord(executionId);
    this.#reader = new EventReader({
      events: parts.follow(this.#scope, {
        readOn: (until) => void this.#reader.readOn(until),
        found: (id) => {
          this.#record.found(id);
          this.#id.resolve(id);
        },
      }),
      readsAhead,
      isDrained,
      onEvent: (event) => {
        this.#record.add(event);
        if (event.type === "started") this.#id.resolve(event.executionId);
      },
      onOutcome: (outcome) => this.#settle(outcome),
      onError: (error) => this.#fail(error),
    });
    parts.calls.add(this.#call);
    this.#signalled = onAbort(parts.signal, () => this.#abandon());
    void this.#reader.readUntil(() => this.#record.hasEvents && !readsAhead());
  }

  /** Identity of the execution, once it has started; rejects when it never does. */
  get id(): Promise<string> {
    return this.#id.promise;
  }

  /**
   * How the program ended. Rejects with a CodemodeError when the service failed, the deadline passed,
   * the `signal` aborted or the execution was left to itself; a rejection that nobody looks at is never
   * reported as unhandled.
   */
  get outcome(): Promise<ExecutionResult<T>> {
    this.#reader.readAhead();
    return this.#outcome.promise;
  }

  /** Cancels on the server and resolves when the execution has ended. Never rejects; idempotent. */
  cancel(): Promise<void> {
    this.#cancelling ??= this.#cancel();
    return this.#cancelling;
  }

  /**
   * Leaves the execution to itself, once it has started: iteration ends, `outcome` rejects as
   * `cancelled`, open tool calls wait for whoever attaches next. It lives on for `keepWithoutReaderMs`
   * unless somebody follows it. Rejects when it never starts; without effect when it has ended.
   */
  async detach(): Promise<Detached> {
    const executionId = await this.#id.promise;
    this.#leave();
    return { executionId, afterSequence: this.#reader.takenSequence };
  }

  /** The same as `cancel`; an attached execution is left to itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#parts.isOwner || this.#cancelling !== undefined) await this.cancel();
    else this.#leave();
  }

  /** The events from the first, in order, to `finished`. */
  [Symbol.asyncIterator](): AsyncIterator<StreamEvent, void, undefined> {
    return {
      next: () => this.#reader.next(),
      return: async () => {
        await this[Symbol.asyncDispose]();
        this.#reader.drop();
        return { done: true, value: undefined };
      },
    };
  }

  readonly #call = { close: () => this[Symbol.asyncDispose]() };

  #settle(outcome: Outcome): void {
    this.#end(new CodemodeError("cancelled", "the execution ended before it started"));
    this.#reader.end();
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
    this.#reader.end(error);
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

  async #cancel(): Promise<void> {
    if (this.#isOver) return;
    const { correlationId, cancel } = this.#parts;
    const error = new CodemodeError("cancelled", "the execution was cancelled", { correlationId });
    const giveUp = () => this.#scope.abort(error);
    using grace = startDeadline({ ms: graceMs, reason: error });
    using _ = onAbort(grace.signal, giveUp);
    const executionId = this.#record.executionId;
    const told = cancel(executionId).catch(giveUp);
    if (executionId === undefined) giveUp();
    await this.#reader.readUntil(() => false);
    // Without an id the server is told in the background of an end that is here already.
    if (executionId === undefined) await told;
  }

  /** The caller's signal aborted: it gets its error now, the server hears of it meanwhile. */
  #abandon(): void {
    if (this.#isOver || this.#cancelling !== undefined) return;
    const { signal, correlationId, isOwner } = this.#parts;
    const executionId = this.#record.executionId;
    const error = cancelledBy(signal, { correlationId, executionId });
    this.#reader.drop();
    this.#fail(error);
    this.#reader.wake();
    this.#cancelling = isOwner ? this.#cancelInBackground(error) : this.#close(error);
  }

  async #cancelInBackground(error: CodemodeError): Promise<void> {
    const { calls, cancel } = this.#parts;
    const executionId = this.#record.executionId;
    calls.add(this.#call);
    // The request itself is given up at once where it has no execution yet.
    if (executionId === undefined) this.#scope.abort(error);
    await cancel(executionId).catch(ignore);
    await this.#close(error);
    calls.delete(this.#call);
  }

  /** Ends the reading here and lets the program run on. */
  #leave(): void {
    if (this.#isOver) return;
    const { correlationId } = this.#parts;
    const executionId = this.#record.executionId;
    const options = { correlationId, executionId };
    const error = new CodemodeError("cancelled", "the execution was left to itself", options);
    this.#fail(error);
    this.#reader.drop();
    this.#reader.wake();
    void this.#close(error);
  }

  async #close(error: CodemodeError): Promise<void> {
    this.#scope.abort(error);
    this.#reader.close();
  }
}

function ignore(): void {}
