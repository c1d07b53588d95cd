import { untilAborted } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { ExecutionEvent } from "../shared/model.ts";
import { eventCost } from "./retained.ts";
import type { ExecutionStore, StoredLog } from "./store.ts";

/** The end of a log that is still written. */
export interface LogTail {
  /** Nothing comes any more, for everything is in the store. */
  readonly isOver: boolean;
  /** Why nothing comes any more, although there was no end. */
  readonly fault: { readonly error: unknown } | undefined;
  /** Resolves when there is more, or the log is over. */
  arrival(): Promise<void>;
}

/** What is read, and from where. */
export interface FollowOptions {
  readonly store: Pick<ExecutionStore, "read">;
  readonly executionId: string;
  /** Events after it are given; 0 for all. */
  readonly afterSequence: number;
  /** The last event to give. Default: `finished`. */
  readonly lastSequence?: number;
  /** None for a log that has ended. */
  readonly tail?: LogTail;
}

// Events that a reader takes from the store at a time.
const pageSize = 64;
// What a reader that does not go on may hold of a log that the store has dropped since.
const pageBytes = 256 * 1024;

/**
 * Kept and then live events after a sequence, to `finished`. From 0, `trimmed` events stand where
 * output was dropped; a reader that had a place and lost it gets a CodemodeError `out_of_range`.
 */
export async function* follow(
  options: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<ExecutionEvent, void, undefined> {
  const { afterSequence, lastSequence = Infinity, tail } = options;
  let position = afterSequence;
  let isFresh = afterSequence === 0;
  while (position < lastSequence) {
    // Taken before the read, so that an event between the read and the wait is not missed.
    const arrival = tail?.arrival();
    const isOver = tail?.isOver ?? true;
    const fault = tail?.fault;
    const events = await untilAborted(readAfter(options, position, pageSize), signal);
    for (const event of firstOf(events)) {
      if (event.sequence > lastSequence) return;
      if (event.type === "trimmed") checkMark(event, position, isFresh);
      signal.throwIfAborted();
      yield event;
      if (event.type === "finished") return;
      position = event.sequence;
    }
    if (events.length > 0) continue;
    if (fault !== undefined) throw fault.error;
    if (isOver) return;
    isFresh = false;
    await untilAborted(arrival ?? Promise.resolve(), signal);
  }
}

/** Rejects with a CodemodeError `out_of_range` where `follow` could not go on after a sequence. */
export async function checkPlace(options: FollowOptions): Promise<void> {
  const { afterSequence } = options;
  const [next] = await readAfter(options, afterSequence, 1);
  if (next?.type === "trimmed") checkMark(next, afterSequence, afterSequence === 0);
}

async function readAfter(
  { store, executionId, tail }: FollowOptions,
  position: number,
  limit: number,
): Promise<StoredLog["events"]> {
  let page: StoredLog;
  try {
    page = await store.read(executionId, position, limit);
  } catch (error) {
    // A log that ended in an error is dropped at once; its readers are to know the error.
    if (tail?.fault !== undefined) throw tail.fault.error;
    throw CodemodeError.is(error) && error.kind === "not_found" ? dropped(position, error) : error;
  }
  if (position > page.lastSequence) throw beyondEnd(position, page.lastSequence);
  return page.events;
}

/** The events of a page that fit into `pageBytes`, and at least one. */
function firstOf(events: readonly ExecutionEvent[]): readonly ExecutionEvent[] {
  let bytes = 0;
  const end = events.findIndex((event, index) => {
    bytes += eventCost(event);
    return index > 0 && bytes > pageBytes;
  });
  return end === -1 ? events : events.slice(0, end);
}

/** A mark tells a reader what it missed only where all of that lies before it. */
function checkMark(
  { firstSequence, sequence }: Extract<ExecutionEvent, { type: "trimmed" }>,
  position: number,
  isFresh: boolean,
): void {
  if (!isFresh || firstSequence <= position) throw fellBehind(position, sequence);
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

function dropped(position: number, cause: unknown): CodemodeError {
  const message = `events after ${position} are no longer kept: nothing is left of the log`;
  return new CodemodeError("out_of_range", message, { cause });
}
