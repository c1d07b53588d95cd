import type { Executor } from "../executors/executor.ts";
import { CodemodeError } from "../shared/errors.ts";
import { restarting } from "../shared/restarting.ts";

/** An executor, and the name of its engine. */
export interface Placement {
  readonly executor: Executor;
  readonly engine: string;
}

/**
 * The first executor that is up and runs the language. Throws a CodemodeError where none is:
 * `unavailable`, with the time of a retry, while one is being started again, otherwise `unsupported`.
 */
export function chooseExecutor(executors: readonly Executor[], language: string): Placement {
  const down: string[] = [];
  let mayComeBack = false;
  for (const executor of executors) {
    const { name, languages, up, reason, isRestarting } = executor.info();
    if (!languages.includes(language)) continue;
    if (up) return { executor, engine: name };
    down.push(`${name} is not up: ${reason}`);
    mayComeBack ||= isRestarting === true;
  }
  if (mayComeBack) {
    throw restarting(`the engine of ${language} is being started again: ${down.join("; ")}`);
  }
  const why = down.length === 0 ? "" : `: ${down.join("; ")}`;
  throw new CodemodeError("unsupported", `no engine runs ${language}${why}`);
}
