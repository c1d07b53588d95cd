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
  #isDecided = false;
  #outcome: Outcome | undefined;
  readonly #settled = Promise.withResolvers<void>();

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  /** The program has been given to its guest. */
  get hasStarted(): boolean {
    return this.#startTime !== undefined;
  }

  /** How it ends is settled, whether or not its log says so yet. */
  get isDecided(): boolean {
    return this.#isDecided;
  }

  /** How it ended; undefined before. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** Resolves when it has ended, or will not. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** The guest is given its program now. */
  start(): void {
    this.#startTime = new Date();
    this.#startedAt = performance.now();
  }

  /**
   * Gives the outcome of a result that came about on an engine; "" where none was chosen. It is the
   * execution's own from `finish` on.
   */
  decide(result: ProgramResult, usage: UsageSoFar, engine: string): Outcome {
    this.#isDecided = true;
    const wallMs = this.hasStarted ? performance.now() - this.#startedAt : 0;
    const info = this.#options.engineInfo(engine);
    return {
      ...result,
      usage: { ...usage, wallMs },
      isolationTier: info?.isolationTier,
      engine,
      warnings: info?.warnings ?? [],
    };
  }

  /** The execution has ended with an outcome. */
  finish(outcome: Outcome): void {
    this.#endTime = new Date();
    this.#outcome = outcome;
    this.#settled.resolve();
  }

  /** The execution is over, with an outcome or without. Idempotent. */
  close(): void {
    this.#settled.resolve();
  }

  /** The execution as it stands, whose log has come so far. */
  summary(lastSequence: number): Execution {
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
      lastSequence,
    };
  }
}
