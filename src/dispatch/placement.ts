import type { Executor } from "../executors/executor.ts";
import { CodemodeError } from "../shared/errors.ts";

/** An executor, and the name of its engine. */
export interface Placement {
  readonly executor: Executor;
  readonly engine: string;
}

/** The first executor that is up and runs the language; CodemodeError `unsupported` if none is. */
export function chooseExecutor(executors: readonly Executor[], language: string): Placement {
  const down: string[] = [];
  for (const executor of executors) {
    const { name, languages, up, reason } = executor.info();
    if (!languages.includes(language)) continue;
    if (up) return { executor, engine: name };
    down.push(`${name} is not up: ${reason}`);
  }
  const why = down.length === 0 ? "" : `: ${down.join("; ")}`;
  throw new CodemodeError("unsupported", `no engine runs ${language}${why}`);
}
