import { CodemodeError } from "../shared/errors.ts";
import type { Outcome } from "../shared/model.ts";
import { Backlog, largeBacklog, smallBacklog } from "./backlog.ts";
import type { StreamEvent } from "./stream-event.ts";

/** What an execution's events are read for. */
export interface EventReaderParts {
  /** The log, up to `finished`; the outcome where no event was left. Throws CodemodeErrors. */
  readonly events: AsyncIterator<StreamEvent, Outcome | undefined>;
  /** Whether events are read at once, whoever waits for them: tools' calls come with them. */
  readonly readsAhead: () => boolean;
  /** Nobody will iterate: nothing needs to be kept. */
  readonly isDrained: boolean;
  readonly onEvent: (event: StreamEvent) => void;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly onError: (error: CodemodeError) => void;
}

/**
 * Reads events by the pace of a loop, or ahead of it when more is wanted than the loop, and keeps what
 * nobody has taken.
 */
export class EventReader {
  readonly #parts: EventReaderParts;
  readonly #backlog = new Backlog();
  #waiters: (() => void)[] = [];
  #reading: Promise<void> | undefined;
  #takenSequence = 0;
  #isPaced = false;
  /** Those that have it read on at this moment. */
  #urges = 0;
  #isOver = false;
  #error: CodemodeError | undefined;

  constructor(parts: EventReaderParts) {
    this.#parts = parts;
  }

  /** Sequence of the last event that a loop was given; 0 before the first. */
  get takenSequence(): number {
    return this.#takenSequence;
  }

  /** The next event, for whoever iterates. Throws the error of `end`, once, when all were given. */
  async next(): Promise<IteratorResult<StreamEvent, void>> {
    this.#isPaced = true;
    for (;;) {
      const event = this.#backlog.shift();
      if (event !== undefined) {
        this.#takenSequence = event.sequence;
        return { done: false, value: event };
      }
      if (this.#isOver) return this.#last();
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        this.#step();
      });
    }
  }

  /** Nobody waits for an event: the end is read for, until a loop takes the pace again. */
  readAhead(): void {
    if (this.#waiters.length > 0) return;
    this.#isPaced = false;
    // A loop that begins in this same step takes the pace before anything is read.
    queueMicrotask(() => void this.readUntil(() => this.#isPaced));
  }

  /** Reads on until a condition holds, for the loop that will come: nothing that is read is dropped. */
  async readOn(until: () => boolean): Promise<void> {
    this.#urges += 1;
    await this.readUntil(until);
    this.#urges -= 1;
  }

  /** Reads on until a condition holds or reading is over. */
  async readUntil(isDone: () => boolean): Promise<void> {
    while (!this.#isOver && !isDone()) await this.#step();
  }

  /** Reading is over; the error goes to the iteration, behind the events that were kept. */
  end(error?: CodemodeError): void {
    this.#isOver = true;
    this.#error = error;
  }

  /** Nothing that was kept is wanted, nor the error. */
  drop(): void {
    this.#backlog.clear();
    this.#error = undefined;
  }

  /** Whoever waits looks again. */
  wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Closes the log, wherever the reading of it stands. */
  close(): void {
    this.#parts.events.return?.()?.catch(ignore);
  }

  #last(): IteratorResult<StreamEvent, void> {
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
    return { done: true, value: undefined };
  }

  /** Reads one event; those who ask while it is read share it. */
  #step(): Promise<void> {
    this.#reading ??= this.#read();
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { events, onOutcome, onError } = this.#parts;
    try {
      const { done, value } = await events.next();
      if (this.#isOver) return;
      if (done !== true) this.#take(value);
      else if (value !== undefined) onOutcome(value);
    } catch (error) {
      if (!this.#isOver) onError(CodemodeError.from(error));
    } finally {
      this.#reading = undefined;
      this.wake();
    }
  }

  #take(event: StreamEvent): void {
    const { events, isDrained, readsAhead, onEvent, onOutcome } = this.#parts;
    onEvent(event);
    if (!isDrained) {
      const isSlowLoop = this.#isPaced && readsAhead();
      this.#backlog.push(event, isSlowLoop || this.#urges > 0 ? largeBacklog : smallBacklog);
    }
    if (event.type !== "finished") return;
    onOutcome(event.outcome);
    // Lets the stream close in order; nothing that comes now matters.
    events.next().catch(ignore);
  }
}

function ignore(): void {}
