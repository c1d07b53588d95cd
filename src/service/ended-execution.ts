import { checkPlace, follow } from "../execution/follow.ts";
import type { ExecutionStore } from "../execution/store.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { Execution } from "../shared/model.ts";
import type { Place } from "./attach.ts";
import { type ReadExecution, Reader } from "./reader.ts";
import type { Readers } from "./readers.ts";
import type { RunningExecution } from "./running.ts";

/** An execution that is over, as long as its log is kept. */
export class EndedExecution implements ReadExecution {
  readonly executionId: string;
  readonly tenant: string;
  /** What its log holds, bytes. */
  readonly bytes: number;
  readonly over: Promise<void>;
  readonly settled = Promise.resolve();
  readonly readers: Readers;
  /** The status that readers get in place of `finished`. */
  readonly failure: CodemodeError | undefined;
  readonly lastSequence: number;
  readonly #store: ExecutionStore;
  readonly #summary: Execution;

  constructor(execution: RunningExecution, store: ExecutionStore) {
    const { executionId, tenant, log, over, readers, failure } = execution;
    this.executionId = executionId;
    this.tenant = tenant;
    this.bytes = log.bytes;
    this.over = over;
    this.readers = readers;
    this.failure = failure;
    this.#store = store;
    this.lastSequence = log.lastSequence;
    this.#summary = execution.summary();
  }

  summary(): Execution {
    return this.#summary;
  }

  /** One more reader, which answers nothing. Rejects `out_of_range` or `overloaded`. */
  async attach({ afterSequence }: Place, signal: AbortSignal): Promise<Reader> {
    const place = { store: this.#store, executionId: this.executionId, afterSequence };
    const seat = this.readers.joinFollower();
    try {
      await checkPlace(place);
    } catch (error) {
      seat[Symbol.dispose]();
      throw error;
    }
    return new Reader({
      execution: this,
      attached: { lastSequence: this.lastSequence, openCalls: [] },
      host: 0,
      tools: [],
      signal,
      read: () => follow(place, signal),
      leave: async () => seat[Symbol.dispose](),
    });
  }

  /** Throws `not_found`: there is no call any more. */
  answer(): never {
    throw new CodemodeError("not_found", "the execution has ended");
  }

  /** Without effect. */
  closeCaller(): void {}

  /** Without effect. */
  stop(): void {}

  statusOf(error: unknown): CodemodeError {
    return CodemodeError.from(error);
  }
}
