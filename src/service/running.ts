import { ExecutionLog } from "../execution/log.ts";
import type { GuestRun, GuestUsage } from "../executors/executor.ts";
import { forkSignal, onAbort, startTimer } from "../shared/abort.ts";
import { CodemodeError, type ErrorKind } from "../shared/errors.ts";
import { fewInTurn } from "../shared/few-in-turn.ts";
import type {
  Execution,
  ExecutionRequest,
  Outcome,
  ProgramResult,
  ToolResult,
} from "../shared/model.ts";
import { executionIdTrailer } from "../shared/status.ts";
import { Stop, stopped } from "../shared/stop.ts";
import type { Tally } from "../shared/tally.ts";
import type { Refusals } from "../tools/bridge.ts";
import { attachReader, type LiveExecution, type Place, startReader } from "./attach.ts";
import type { Call } from "./call.ts";
import { executionLost, lost, queueTimedOut, shutdown, shuttingDown } from "./endings.ts";
import { ExecutionTools } from "./execution-tools.ts";
import type { ExecutionsOptions } from "./executions.ts";
import { toLeaseRequest, toProgram } from "./program.ts";
import type { ReadExecution, Reader } from "./reader.ts";
import { Readers } from "./readers.ts";
import { Standing } from "./standing.ts";

/** One execution to run, and what it runs on. */
export interface RunningExecutionOptions extends ExecutionsOptions {
  readonly executionId: string;
  readonly request: ExecutionRequest;
  /** The call that starts it. */
  readonly call: Call;
  readonly refusals: Refusals;
  /** Followers, by tenant. */
  readonly followers: Tally;
  /** Bytes of the logs of executions that run, by tenant. */
  readonly logBytes: Tally;
}

// What readers are told of their own place, and of nothing that was lost.
const ownKinds: readonly ErrorKind[] = ["out_of_range", "overloaded"];
const noUsage: GuestUsage = { cpuMs: 0, peakMemoryBytes: 0, outputBytes: 0 };

/** An execution from its admission to its end, whoever reads it. */
export class RunningExecution implements ReadExecution {
  readonly executionId: string;
  readonly tenant: string;
  readonly over: Promise<void>;
  readonly readers: Readers;
  readonly #options: RunningExecutionOptions;
  readonly #standing: Standing;
  readonly #log: ExecutionLog;
  readonly #tools: ExecutionTools;
  readonly #controller = new AbortController();
  readonly #started = Promise.withResolvers<void>();
  #engine = "";
  #failure: CodemodeError | undefined;
  /** Why the execution is lost although its guest may still run. */
  #fault: { readonly error: unknown } | undefined;

  constructor(options: RunningExecutionOptions) {
    const { store, executionId, request, call, logBytes, followers, followerBounds } = options;
    const { tenant } = call;
    this.executionId = executionId;
    this.tenant = tenant;
    this.#options = options;
    this.#standing = new Standing(options);
    const onGrowth = (bytes: number) => logBytes.add(tenant, bytes);
    this.#log = new ExecutionLog({ store, executionId, signal: this.#controller.signal, onGrowth });
    this.#tools = new ExecutionTools(options);
    this.readers = new Readers({
      tenant,
      keepMs: request.keepWithoutReaderMs,
      wallMs: request.limits.wallMs,
      bounds: followerBounds,
      followers,
      stop: (stop) => this.stop(stop),
    });
    this.over = this.#run();
  }

  /** The status that readers get in place of `finished`. */
  get failure(): CodemodeError | undefined {
    return this.#failure;
  }

  /** Resolves when `summary` and `failure` say how it ended. */
  get settled(): Promise<void> {
    return this.#standing.settled;
  }

  /** The log's size and end, so far. */
  get log(): Pick<ExecutionLog, "bytes" | "lastSequence"> {
    return this.#log;
  }

  /** Sequence of the log's last event so far. */
  get lastSequence(): number {
    return this.#log.lastSequence;
  }

  /** It is being ended although its program has not started: nobody can join it any more. */
  get isGivenUp(): boolean {
    return this.#controller.signal.aborted && !this.#standing.hasStarted;
  }

  /** The execution as it stands. */
  summary(): Execution {
    return this.#standing.summary(this.#log.lastSequence);
  }

  /** As `startReader`. */
  lead(signal: AbortSignal): Reader {
    return startReader(this.#live(), signal, this.#options.call.endsAt);
  }

  /** As `attachReader`. */
  attach(place: Place, signal: AbortSignal): Promise<Reader> {
    return attachReader(this.#live(), place, signal);
  }

  /** Hands on an answer to one of the caller's calls, of one tool host or whichever it is; as `ToolBridge.deliver`. */
  answer(result: ToolResult, host?: number): boolean {
    return this.#tools.answer(result, host);
  }

  /** The tool host answers no more calls: those that are open or still come fail. */
  closeCaller(host: number): void {
    this.#tools.closeCaller(host);
  }

  /** Ends the program at once; without effect when it has ended. */
  stop(stop: Stop): void {
    if (!this.#standing.isDecided) this.#controller.abort(stop);
  }

  /** The status that readers get for an error of the log. */
  statusOf(error: unknown): CodemodeError {
    const isOwn = CodemodeError.is(error) && ownKinds.includes(error.kind);
    const isKnown = isOwn || error === this.#failure || !this.#standing.hasStarted;
    return isKnown ? CodemodeError.from(error) : executionLost(this.executionId, error);
  }

  #live(): LiveExecution {
    return {
      execution: this,
      log: this.#log,
      tools: this.#tools,
      declared: this.#options.request.tools,
      readers: this.readers,
      started: this.#started.promise,
      settled: async () => {
        // The end of a program is shown before its slot is free; nobody needs to wait for that.
        const isEnding = this.#controller.signal.aborted && !this.#standing.isDecided;
        if (isEnding) await this.over;
      },
      lose: (error) => this.#lose(error),
    };
  }

  async #run(): Promise<void> {
    try {
      await this.#log.open();
      await this.#drive();
    } catch (error) {
      await this.#conclude(error);
    }
    this.readers.close();
    this.#started.resolve();
    this.#standing.close();
    this.#options.logBytes.add(this.tenant, -this.#log.bytes);
  }

  async #drive(): Promise<void> {
    const { signal } = this.#controller;
    const { dispatcher, request, queueTimeoutMs } = this.#options;
    // Before a slot is held: tool services may take their time.
    const tools = await this.#tools.grant(signal);
    using life = forkSignal(signal);
    using queue = startTimer(queueTimeoutMs, () => life.abort(queueTimedOut(queueTimeoutMs)));
    await using lease = await dispatcher.acquire(toLeaseRequest(this.#options), life.signal);
    life.signal.throwIfAborted();
    this.#engine = lease.engine;
    const program = toProgram(request, tools, this.tenant);
    const run = lease.run(program, life.signal);
    using _ = onAbort(signal, () => this.#tools.close());
    // A slot may have to wait for its guest: the limits of the run begin with the run.
    using wall = new DisposableStack();
    const onStart = () => {
      queue[Symbol.dispose]();
      wall.use(this.#startClock(run));
      return this.#start(program.seed);
    };
    await this.#follow(run, onStart);
  }

  /** Opens the tools of a run that begins, and ends it when its time is up. */
  #startClock(guest: GuestRun): Disposable {
    const { wallMs } = this.#options.request.limits;
    this.#tools.open({
      endsAt: performance.now() + wallMs,
      guest,
      append: (event) => this.#log.append(event),
      stop: (stop) => this.stop(stop),
      fail: (error) => this.#lose(error),
    });
    return startTimer(wallMs, () => {
      this.stop(new Stop("timeout", `the program ran longer than ${wallMs} ms`));
    });
  }

  /** There is a guest, and it gets its program next: the last moment at which a retry is safe. */
  async #start(seed: bigint): Promise<void> {
    const { executionId, instanceId, request, engineInfo, call } = this.#options;
    const { correlationId, language } = request;
    call.setTrailer(executionIdTrailer, executionId);
    const committed = call.commit();
    this.#standing.start();
    this.readers.start();
    await committed;
    const ids = { instanceId, executionId, correlationId };
    const engine = this.#engine;
    const isolationTier = engineInfo(engine)?.isolationTier;
    await this.#log.append({ type: "started", seed, engine, ...ids, language, isolationTier });
    this.#started.resolve();
  }

  async #follow(run: GuestRun, onStart: () => Promise<void>): Promise<void> {
    for await (const event of fewInTurn(this.tenant, run)) {
      switch (event.type) {
        case "started":
          await onStart();
          break;
        case "output":
          await this.#log.append(event);
          break;
        case "tool_call":
          await this.#tools.onCall(event);
          break;
        case "ended":
          if (this.#fault !== undefined) throw this.#fault.error;
          await this.#finish(event.result, event.usage);
      }
    }
    if (!this.#standing.isDecided) throw new Error("the run ended without a result");
  }

  /** A fault outside the run's own loop; ends the run, which then finds it. */
  #lose(error: unknown): void {
    if (this.#standing.isDecided) return;
    this.#fault ??= { error };
    this.#controller.abort(error);
  }

  async #finish(result: ProgramResult, usage: GuestUsage): Promise<void> {
    // What is still open is cancelled in the log, before its end.
    this.#tools.close();
    const outcome = this.#decide(result, usage);
    await this.#log.append({ type: "finished", outcome });
    this.#standing.finish(outcome);
  }

  #decide(result: ProgramResult, usage: GuestUsage): Outcome {
    return this.#standing.decide(result, { ...usage, toolCalls: this.#tools.count }, this.#engine);
  }

  /** Ends the log of an execution that did not come to its own end. */
  async #conclude(error: unknown): Promise<void> {
    const { outcome, isDecided, hasStarted } = this.#standing;
    if (outcome !== undefined) return;
    if (isDecided) return this.#loseEnd(error);
    const { signal } = this.#controller;
    const isStopped = signal.aborted && this.#fault === undefined;
    if (isStopped && (hasStarted || signal.reason !== shutdown)) {
      await this.#finishLast(stopped(signal.reason));
    } else if (!hasStarted) {
      this.#log.end(signal.aborted ? shuttingDown(error) : error);
    } else {
      this.#failure = executionLost(this.executionId, error);
      await this.#finishLast(lost);
    }
  }

  async #finishLast(result: ProgramResult): Promise<void> {
    try {
      await this.#finish(result, noUsage);
    } catch (error) {
      this.#loseEnd(error);
    }
  }

  /** The log did not take the end: nobody is told an outcome that no reader will see. */
  #loseEnd(error: unknown): void {
    if (this.#standing.hasStarted) {
      this.#failure ??= executionLost(this.executionId, error);
      this.#standing.finish(this.#decide(lost, noUsage));
    }
    this.#log.end(this.#failure ?? error);
  }
}
