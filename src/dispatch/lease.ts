import type {
  Executor,
  GuestEvent,
  GuestRun,
  GuestToolResult,
  Program,
} from "../executors/executor.ts";
import { type ForkedSignal, forkSignal } from "../shared/abort.ts";
import { Stop } from "../shared/stop.ts";
import type { Lease } from "./dispatcher.ts";

/** Options of `createLease`. */
export interface LeaseOptions {
  readonly workerId: string;
  readonly engine: string;
  readonly executor: Executor;
  /** Called once, when the lease has been given back and its run is over. */
  readonly onFree: () => void;
}

/** A lease of a slot for one run of an executor in this process. */
export function createLease({ workerId, engine, executor, onFree }: LeaseOptions): Lease {
  let run: EndableRun | undefined;
  let disposal: Promise<void> | undefined;

  async function dispose(): Promise<void> {
    await run?.end();
    onFree();
  }

  return {
    workerId,
    engine,
    run(program, signal) {
      if (disposal !== undefined) throw new Error("the lease has been given back");
      if (run !== undefined) throw new Error("a lease is for one run");
      run = new EndableRun(executor, program, signal);
      return run;
    },
    [Symbol.asyncDispose]() {
      disposal ??= dispose();
      return disposal;
    },
  };
}

/** A run that can be ended from outside, whether or not somebody is reading it. */
class EndableRun implements GuestRun {
  readonly #signal: ForkedSignal;
  readonly #run: GuestRun;
  #iterator: AsyncIterator<GuestEvent, void, undefined> | undefined;
  #isOver = false;

  constructor(executor: Executor, program: Program, signal: AbortSignal) {
    this.#signal = forkSignal(signal);
    this.#run = executor.run(program, this.#signal.signal);
  }

  deliver(result: GuestToolResult): void {
    this.#run.deliver(result);
  }

  [Symbol.asyncIterator](): AsyncIterator<GuestEvent, void, undefined> {
    const iterator = this.#run[Symbol.asyncIterator]();
    this.#iterator = iterator;
    return {
      next: async () => {
        const next = await iterator.next();
        this.#isOver ||= next.done === true;
        return next;
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    };
  }

  /** Kills the guest unless it is gone; resolves when it is. Never rejects. */
  async end(): Promise<void> {
    this.#signal[Symbol.dispose]();
    if (this.#isOver) return;
    this.#signal.abort(new Stop("cancelled", "the execution was cancelled"));
    try {
      await this.#iterator?.return?.();
    } catch {
      // The reader of the run has had its error; giving back is no place for another.
    }
  }
}
