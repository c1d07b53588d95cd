import type {
  Executor,
  GuestEvent,
  GuestToolResult,
  Program,
} from "../../../src/executors/executor.ts";
import type { subjects } from "../executor.suite.ts";

/** A bug that the suite must find. */
export interface SeededBug {
  readonly name: string;
  /** The part of the suite that is to find it; the other parts are not run, to save time. */
  readonly subject: keyof typeof subjects;
  /** Title of a test that must turn red. */
  readonly caughtBy: string;
  /** Planted in every engine, and not only in the one that takes least time. */
  readonly isInEvery?: boolean;
  plant(executor: Executor): Executor;
}

/** What a bug does to the runs of an engine; what is left out stays as it is. */
export interface Spoiling {
  readonly program?: (program: Program) => Program;
  readonly signal?: (signal: AbortSignal) => AbortSignal;
  readonly answer?: (answer: GuestToolResult) => GuestToolResult;
  readonly events?: (
    events: AsyncIterable<GuestEvent>,
    program: Program,
    signal: AbortSignal,
  ) => AsyncIterable<GuestEvent, void, undefined>;
  /** Takes back what the bug has left behind, when the engine is disposed. */
  readonly dispose?: () => void;
}

/** An engine with a bug. */
export function spoil(executor: Executor, spoiling: Spoiling): Executor {
  const { program: spoilProgram, signal: spoilSignal, answer: spoilAnswer, events } = spoiling;
  return {
    info: () => executor.info(),
    run(asked, signal) {
      const program = spoilProgram?.(asked) ?? asked;
      const run = executor.run(program, spoilSignal?.(signal) ?? signal);
      const spoilt = events?.(run, program, signal) ?? run;
      return {
        deliver: (answer) => run.deliver(spoilAnswer?.(answer) ?? answer),
        [Symbol.asyncIterator]: () => spoilt[Symbol.asyncIterator](),
      };
    },
    async [Symbol.asyncDispose]() {
      spoiling.dispose?.();
      await executor[Symbol.asyncDispose]();
    },
  };
}

/** An engine whose events are changed one by one: each becomes none, itself or several. */
export function spoilEvents(
  executor: Executor,
  change: (program: Program) => (event: GuestEvent) => readonly GuestEvent[],
): Executor {
  return spoil(executor, {
    async *events(events, program) {
      const changed = change(program);
      for await (const event of events) yield* changed(event);
    },
  });
}
