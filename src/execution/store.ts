import type { ExecutionEvent } from "../shared/model.ts";

/** What a store holds of one log. */
export interface StoredLog {
  /** Kept events in order; a `trimmed` event stands where output was dropped. */
  readonly events: readonly ExecutionEvent[];
  /** Sequence of the last event appended; 0 for a new log. */
  readonly lastSequence: number;
}

/**
 * Holds the logs of executions. Asynchronous, so that a database or a cluster's store can take the
 * place of memory. An epoch is one writer's claim to a log: appends of an older epoch are refused.
 */
export interface ExecutionStore {
  /** Opens a log for writing, new or existing; any earlier writer's epoch ends. */
  open(
    executionId: string,
  ): Promise<{ readonly writerEpoch: number; readonly lastSequence: number }>;
  /**
   * Appends numbered events in order; resolves with the bytes that are held of the log now, as
   * `eventCost` counts them. Rejects with a CodemodeError: `already_exists` when the epoch is not the
   * newest or a sequence is not the next one, `not_found` for an unknown log.
   */
  append(
    executionId: string,
    writerEpoch: number,
    events: readonly ExecutionEvent[],
  ): Promise<{ readonly keptBytes: number }>;
  /** Kept events after a sequence, at most `limit` of them. Rejects `not_found`. */
  read(executionId: string, afterSequence: number, limit: number): Promise<StoredLog>;
  /** Forgets a log; without effect when there is none. */
  delete(executionId: string): Promise<void>;
}
