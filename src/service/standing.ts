import type {
  EngineInfo,
  Execution,
  ExecutionRequest,
  Outcome,
  ProgramResult,
  Usage,
} from "../shared/model.ts";

/** What does not change of an execution. */
export interface StandingOptions {
  readonly executionId: string;
  readonly instanceId: string;
  readonly request: ExecutionRequest;
  /** State of an engine by its name. */
  readonly engineInfo: (engine: string) => EngineInfo | undefined;
}

/** What was used, but for the time, which is counted here. */
export type UsageSoFar = Omit<Usage, "wallMs">;

/** Where one execution stands, from its admission to its outcome. */
export class Standing {
  readonly #options: StandingOptions;
  readonly #createTime = new Date();
  #startTime: Date | undefined;
  #startedAt = 0;
  #endTime: Date | undefined;
  #outcome: Outcome | undefined;

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  /** The program has been given to its guest. */
  get hasStarted(): boolean {
    return this.#startTime !== undefined;
  }

  /** How it ended; undefined before. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** The guest is given its program now. */
  start(): void {
    this.#startTime = new Date();
    this.#startedAt = performance.now();
  }

  /** Sets and gives the outcome of a result that came about on an engine; "" where none was chosen. */
  finish(result: ProgramResult, usage: UsageSoFar, engine: string): Outcome {
    const wallMs = this.hasStarted ? performance.now() - this.#startedAt : 0;
    const info = this.#options.engineInfo(engine);
    this.#endTime = new Date();
    this.#outcome = {
      ...result,
      usage: { ...usage, wallMs },
      isolationTier: info?.isolationTier,
      engine,
      warnings: info?.warnings ?? [],
    };
    return this.#outcome;
  }

  /** The execution as it stands. */
  summary(): Execution {
    const { executionId, instanceId, request } = this.#options;
    const { correlationId, language, requestId } = request;
    return {
      executionId,
      state: this.#outcome ? "finished" : this.hasStarted ? "running" : "queued",
      outcome: this.#outcome,
      correlationId,
      instanceId,
      language,
      createTime: this.#createTime,
      startTime: this.#startTime,
      endTime: this.#endTime,
      requestId,
    };
  }
}
