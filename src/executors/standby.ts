import { untilAborted } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { Executor, ExecutorInfo, GuestEvent, GuestRun, Program } from "./executor.ts";

/** Options of `createStandby`. */
export interface StandbyOptions {
  readonly name: string;
  readonly languages: readonly string[];
  /** Whether nobody else runs its languages at this moment. */
  readonly isNeeded: () => boolean;
  /** Starts the engine; never rejects for what the machine lacks. Gives up the start when it aborts. */
  readonly create: (signal: AbortSignal) => Promise<Executor>;
}

/**
 * An engine that starts when it is needed: now, in the background, or with the first program that
 * finds no other. Until it has started it takes programs, which wait for the proof of its isolation.
 */
export function createStandby(options: StandbyOptions): Executor {
  return new Standby(options);
}

class Standby implements Executor {
  readonly #options: StandbyOptions;
  #starting: Promise<Executor> | undefined;
  #started: Executor | undefined;
  readonly #closing = new AbortController();

  constructor(options: StandbyOptions) {
    this.#options = options;
    if (options.isNeeded()) void this.#start();
  }

  info(): ExecutorInfo {
    if (this.#started !== undefined) return this.#started.info();
    const { name, languages, isNeeded } = this.#options;
    const up = !this.#closing.signal.aborted && (this.#starting !== undefined || isNeeded());
    return {
      name,
      languages,
      up,
      reason: up ? "" : `it stands by: another engine runs ${languages.join(" and ")}`,
      version: "",
      isolationTier: undefined,
      probes: [],
      warnings: up ? ["it is starting: its isolation is proven before it runs a program"] : [],
    };
  }

  run(program: Program, signal: AbortSignal): GuestRun {
    if (this.#closing.signal.aborted)
      throw new CodemodeError("unavailable", `${this.#options.name} is closed`);
    const starting = this.#start();
    let run: GuestRun | undefined;
    async function* events(): AsyncGenerator<GuestEvent, void, undefined> {
      const executor = await untilAborted(starting, signal);
      run = executor.run(program, signal);
      yield* run;
    }
    return { [Symbol.asyncIterator]: events, deliver: (result) => run?.deliver(result) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("the engine is closed"));
    await (await this.#starting)?.[Symbol.asyncDispose]();
  }

  #start(): Promise<Executor> {
    this.#starting ??= this.#options.create(this.#closing.signal).then((executor) => {
      this.#started = executor;
      return executor;
    });
    return this.#starting;
  }
}
