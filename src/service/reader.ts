import { onAbort, untilAborted } from "../shared/abort.ts";
import type { CodemodeError } from "../shared/errors.ts";
import { fewInTurn } from "../shared/few-in-turn.ts";
import type {
  Attached,
  Execution,
  ExecutionEvent,
  ToolDeclaration,
  ToolResult,
} from "../shared/model.ts";
import { callEnded } from "./endings.ts";

/** The execution behind a reader. */
export interface ReadExecution {
  readonly tenant: string;
  readonly executionId: string;
  /** Resolves when the execution is over and holds nothing any more; never rejects. */
  readonly over: Promise<void>;
  /** Resolves when `summary` and `failure` say how it ended: with its `finished`, or soon after; never rejects. */
  readonly settled: Promise<void>;
  /** The status that readers get in place of `finished`. */
  readonly failure: CodemodeError | undefined;
  /** Sequence of the log's last event so far. */
  readonly lastSequence: number;
  summary(): Execution;
  /** The status that readers get for an error of the log. */
  statusOf(error: unknown): CodemodeError;
  answer(result: ToolResult, host?: number): boolean;
  closeCaller(host: number): void;
}

/** Options of a `Reader`. */
export interface ReaderOptions {
  readonly execution: ReadExecution;
  readonly attached: Attached;
  /** Which tool host of the execution it is; 0 for one that only watches. */
  readonly host: number;
  /** Tools whose calls it answers. */
  readonly tools: readonly ToolDeclaration[];
  /** Aborts when the reader's call is over. */
  readonly signal: AbortSignal;
  readonly read: (signal: AbortSignal) => AsyncIterable<ExecutionEvent>;
  /** The reader is gone; resolves when nothing has to be waited for. Called once. */
  readonly leave: () => Promise<void>;
}

/**
 * One call that reads one execution. It leaves when its signal aborts or it is disposed; if it is the
 * last one, `keep_without_reader` says what becomes of the execution.
 */
export class Reader implements AsyncDisposable {
  readonly #options: ReaderOptions;
  readonly #listener: Disposable;
  #left: Promise<void> | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#listener = onAbort(options.signal, () => void this.#leave());
  }

  get executionId(): string {
    return this.#options.execution.executionId;
  }

  get tenant(): string {
    return this.#options.execution.tenant;
  }

  /** Resolves when the execution is over and holds nothing any more; never rejects. */
  get over(): Promise<void> {
    return this.#options.execution.over;
  }

  /** The status that readers get in place of `finished`. */
  get failure(): CodemodeError | undefined {
    return this.#options.execution.failure;
  }

  /** Sequence of the log's last event so far. */
  get lastSequence(): number {
    return this.#options.execution.lastSequence;
  }

  /** Where the log stood when the reader joined. */
  get attached(): Attached {
    return this.#options.attached;
  }

  /** Tools whose calls this reader answers. */
  get tools(): readonly ToolDeclaration[] {
    return this.#options.tools;
  }

  /** The events after its place, to `finished`. Once. Throws a CodemodeError. */
  async *events(): AsyncGenerator<ExecutionEvent, void, undefined> {
    const { execution, signal, read } = this.#options;
    try {
      for await (const event of fewInTurn(execution.tenant, read(signal))) {
        // A store may show the end before its writer knows that it is there, or that it is not.
        if (event.type === "finished") await untilAborted(execution.settled, signal);
        if (event.type === "finished" && execution.failure !== undefined) break;
        yield event;
      }
      if (execution.failure !== undefined) throw execution.failure;
    } catch (error) {
      throw signal.aborted && error === signal.reason
        ? callEnded(error)
        : execution.statusOf(error);
    }
  }

  /** The execution as it stands. */
  summary(): Execution {
    return this.#options.execution.summary();
  }

  /** Hands on an answer to one of the caller's calls; as `ToolBridge.deliver`, while this is the tool host. */
  answer(result: ToolResult): boolean {
    return this.#options.execution.answer(result, this.#options.host);
  }

  /** This reader answers no more calls: while it is the tool host, those that are open or come fail. */
  closeCaller(): void {
    this.#options.execution.closeCaller(this.#options.host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener[Symbol.dispose]();
    await this.#leave();
  }

  #leave(): Promise<void> {
    this.#left ??= this.#options.leave();
    return this.#left;
  }
}
