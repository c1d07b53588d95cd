import { randomBytes } from "node:crypto";
import type { Lease } from "../dispatch/dispatcher.ts";
import { ExecutionLog } from "../execution/log.ts";
import type { GuestRun, GuestUsage } from "../executors/executor.ts";
import { forkSignal, onAbort, startTimer } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import type {
  Execution,
  ExecutionEvent,
  ExecutionRequest,
  Outcome,
  ProgramResult,
  ToolResult,
} from "../shared/model.ts";
import { executionIdTrailer } from "../shared/status.ts";
import { failed, Stop, stopped } from "../shared/stop.ts";
import type { Refusals } from "../tools/bridge.ts";
import type { Call } from "./call.ts";
import {
  callEnded,
  callerGone,
  executionLost,
  isShutdown,
  queueTimedOut,
  shuttingDown,
} from "./endings.ts";
import { ExecutionTools } from "./execution-tools.ts";
import type { ExecutionsOptions } from "./executions.ts";
import { groupOf } from "./group.ts";

/** One execution to run, and what it runs on. */
export interface RunningExecutionOptions extends ExecutionsOptions {
  readonly executionId: string;
  readonly request: ExecutionRequest;
  readonly call: Call;
  /** Aborts when the call that started the execution is over. */
  readonly signal: AbortSignal;
  readonly refusals: Refusals;
}

const noUsage: GuestUsage = { cpuMs: 0, peakMemoryBytes: 0, outputBytes: 0 };

/** An execution from its admission to its end; disposing it cancels it, for its reader is gone. */
export class RunningExecution implements AsyncDisposable {
  readonly executionId: string;
  readonly tenant: string;
  /** Resolves when the execution is over and holds nothing any more; never rejects. */
  readonly over: Promise<void>;
  readonly #options: RunningExecutionOptions;
  readonly #log: ExecutionLog;
  readonly #tools: ExecutionTools;
  readonly #controller = new AbortController();
  readonly #createTime = new Date();
  #startTime: Date | undefined;
  #startedAt = 0;
  #engine = "";
  #endTime: Date | undefined;
  #outcome: Outcome | undefined;
  /** The status that the reader gets in place of `finished`. */
  #failure: CodemodeError | undefined;
  /** Why the execution is lost although its guest may still run. */
  #fault: { readonly error: unknown } | undefined;

  constructor(options: RunningExecutionOptions) {
    const { store, executionId, call } = options;
    this.executionId = executionId;
    this.tenant = call.tenant;
    this.#options = options;
    this.#log = new ExecutionLog({ store, executionId, signal: this.#controller.signal });
    this.#tools = new ExecutionTools(options);
    this.over = this.#run();
  }

  /** The log for the call that started it, which slows the guest by reading slowly. Once. */
  async *events(): AsyncGenerator<ExecutionEvent, void, undefined> {
    try {
      for await (const event of this.#log.lead(this.#options.signal)) {
        if (event.type === "finished" && this.#failure !== undefined) throw this.#failure;
        yield event;
      }
    } catch (error) {
      throw this.#statusOf(error);
    }
  }

  /** The execution as it stands. */
  summary(): Execution {
    const { executionId, request, instanceId } = this.#options;
    const { correlationId, language, requestId } = request;
    return {
      executionId,
      state: this.#outcome ? "finished" : this.#startTime ? "running" : "queued",
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

  /** Hands on an answer to one of the caller's calls; as `ToolBridge.deliver`. */
  answer(result: ToolResult): boolean {
    return this.#tools.answer(result);
  }

  /** The caller answers no more calls: those that are open or still come fail. */
  closeCaller(): void {
    this.#tools.closeCaller();
  }

  /** Ends the program at once; without effect when it has ended. */
  stop(stop: Stop): void {
    if (this.#outcome === undefined) this.#controller.abort(stop);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#log.leave();
    // The end of a program is shown before its slot is free; nobody needs to wait for that.
    if (this.#outcome !== undefined) return;
    this.#cancel();
    await this.over;
  }

  #cancel(): void {
    // Every call's signal aborts in the end: most of them find the program over.
    if (this.#outcome === undefined) this.stop(callerGone());
  }

  async #run(): Promise<void> {
    using _ = onAbort(this.#options.signal, () => this.#cancel());
    try {
      await this.#log.open();
      await this.#drive();
    } catch (error) {
      await this.#conclude(error);
    }
    try {
      await this.#options.store.delete(this.executionId);
    } catch {
      // What a store cannot delete now it must let expire; the execution is over either way.
    }
  }

  async #drive(): Promise<void> {
    const { signal } = this.#controller;
    const { request } = this.#options;
    // Before a slot is held: tool services may take their time.
    const tools = await this.#tools.grant(signal);
    await using lease = await this.#admit();
    signal.throwIfAborted();
    this.#engine = lease.engine;
    const seed = randomBytes(8).readBigUInt64LE();
    const { wallMs } = request.limits;
    const endsAt = performance.now() + wallMs;
    using _ = startTimer(wallMs, () => {
      this.stop(new Stop("timeout", `the program ran longer than ${wallMs} ms`));
    });
    const { code, language, config, limits } = request;
    // Tools are told what the caller gave, whatever an executor does to what the guest sees.
    const context = structuredClone(request.context);
    const hasMoreTools = request.toolServices.length > 0;
    const group = groupOf(this.tenant);
    const program = { code, language, context, config, limits, tools, hasMoreTools, group, seed };
    const run = lease.run(program, signal);
    this.#tools.open({
      endsAt,
      guest: run,
      append: (event) => this.#log.append(event),
      stop: (stop) => this.stop(stop),
      fail: (error) => this.#lose(error),
    });
    using __ = onAbort(signal, () => this.#tools.close());
    await this.#follow(run, seed);
  }

  async #admit(): Promise<Lease> {
    const { dispatcher, queueTimeoutMs, executionId, request } = this.#options;
    using wait = forkSignal(this.#controller.signal);
    using _ = startTimer(queueTimeoutMs, () => wait.abort(queueTimedOut(queueTimeoutMs)));
    const { language, limits } = request;
    return await dispatcher.acquire(
      { executionId, tenant: this.tenant, language, memoryBytes: limits.memoryBytes },
      wait.signal,
    );
  }

  /** There is a guest, and it gets its program next: the last moment at which a retry is safe. */
  async #start(seed: bigint): Promise<void> {
    const { executionId, instanceId, request, engineInfo, call } = this.#options;
    const { correlationId, language } = request;
    const engine = this.#engine;
    call.setTrailer(executionIdTrailer, executionId);
    call.commit();
    this.#startTime = new Date();
    this.#startedAt = performance.now();
    const isolationTier = engineInfo(engine)?.isolationTier;
    await this.#log.append({
      type: "started",
      seed,
      engine,
      instanceId,
      executionId,
      correlationId,
      language,
      isolationTier,
    });
  }

  async #follow(run: GuestRun, seed: bigint): Promise<void> {
    for await (const event of run) {
      switch (event.type) {
        case "started":
          await this.#start(seed);
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
    if (this.#outcome === undefined) throw new Error("the run ended without a result");
  }

  /** A fault outside the run's own loop; ends the run, which then finds it. */
  #lose(error: unknown): void {
    if (this.#outcome !== undefined) return;
    this.#fault ??= { error };
    this.#controller.abort(error);
  }

  async #finish(result: ProgramResult, usage: GuestUsage): Promise<void> {
    const info = this.#options.engineInfo(this.#engine);
    const wallMs = this.#startTime === undefined ? 0 : performance.now() - this.#startedAt;
    // What is still open is cancelled in the log, before its end.
    this.#tools.close();
    this.#endTime = new Date();
    this.#outcome = {
      ...result,
      usage: { ...usage, wallMs, toolCalls: this.#tools.count },
      isolationTier: info?.isolationTier,
      engine: this.#engine,
      warnings: info?.warnings ?? [],
    };
    await this.#log.append({ type: "finished", outcome: this.#outcome });
  }

  /** Ends the log of an execution that did not come to its own end. */
  async #conclude(error: unknown): Promise<void> {
    if (this.#outcome !== undefined) return;
    const { signal } = this.#controller;
    const isStopped = signal.aborted && this.#fault === undefined;
    if (isStopped && (this.#startTime !== undefined || !isShutdown(signal.reason))) {
      await this.#finishLast(stopped(signal.reason));
    } else if (this.#startTime === undefined) {
      this.#log.end(signal.aborted ? shuttingDown(error) : error);
    } else {
      this.#failure = executionLost(this.executionId, error);
      await this.#finishLast(failed("crashed", "the service lost the execution"));
    }
  }

  async #finishLast(result: ProgramResult): Promise<void> {
    try {
      await this.#finish(result, noUsage);
    } catch (error) {
      this.#log.end(this.#failure ?? error);
    }
  }

  /** The status that the reader gets for an error of the log. */
  #statusOf(error: unknown): CodemodeError {
    const { signal } = this.#options;
    if (signal.aborted && error === signal.reason) return callEnded(error);
    const isKnown = error === this.#failure || this.#startTime === undefined;
    return isKnown ? CodemodeError.from(error) : executionLost(this.executionId, error);
  }
}
