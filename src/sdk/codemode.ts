import type { Execution as ExecutionSummary, ServerInfo } from "../shared/model.ts";
import { fromServerInfoMessage } from "../shared/wire/server-info.ts";
import { attachExecution } from "./attach-execution.ts";
import { Connections } from "./connections.ts";
import { type ContextVariables, getContext, withContext } from "./context.ts";
import { type DescribeOptions, describeTools, toolPrompt } from "./describe-tools.ts";
import { optionsFromEnv } from "./env.ts";
import { executeUnary } from "./execute-unary.ts";
import type { Execution } from "./execution.ts";
import { cancelExecution, getExecution, readOnce } from "./executions.ts";
import type { ExecutionKey } from "./find.ts";
import { type ExecutionFilter, listExecutions } from "./list-executions.ts";
import { OpenCalls } from "./open-calls.ts";
import { type ConnectOptions, toSettings } from "./options.ts";
import { ToolRegistry } from "./registry.ts";
import {
  type AttachOptions,
  type CallOptions,
  type ExecuteOptions,
  type ExecuteRequest,
  type OutputSchema,
  prepareExecution,
  toRequest,
} from "./request.ts";
import { type ExecutionResult, fromExecuteResponse, type ValueOf } from "./result.ts";
import { RetryBudget } from "./retry-budget.ts";
import { type ExecutionDeps, startExecution } from "./start-execution.ts";

/** What a client shares with those bound to it, and what is its own. */
interface Parts extends ExecutionDeps {
  readonly bound: ContextVariables;
  readonly isOwner: boolean;
}

/**
 * A client of the service. Programs that fail are results, `{ status: "failed" }`; a service that
 * fails is a thrown `CodemodeError`. Safe to share; make one for each process.
 */
export class Codemode implements AsyncDisposable {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Makes a client. Nothing is sent before the first call, so this neither waits nor fails for a
   * service that is down; throws `invalid_request` for options that cannot be right.
   */
  static connect(options: ConnectOptions): Codemode {
    const settings = toSettings(options);
    const connections = new Connections(settings);
    const budget = settings.retryBudget && new RetryBudget(settings.retryBudget);
    const calls = new OpenCalls();
    const registry = new ToolRegistry();
    const shared = { connections, budget, settings, registry };
    return new Codemode({ ...shared, bound: {}, calls, isOwner: true });
  }

  /**
   * Makes a client from CODEMODE_EXECUTOR_URL, CODEMODE_EXECUTOR_API_KEY (optional) and
   * CODEMODE_EXECUTOR_TIMEOUT (optional, seconds). Overrides win; a missing or malformed variable is
   * an `invalid_request` that names it.
   */
  static fromEnv(overrides: Partial<ConnectOptions> = {}): Codemode {
    return Codemode.connect(optionsFromEnv(overrides));
  }

  /** Tools that every program may call that is run without `tools`; shared with bound clients. */
  get registry(): ToolRegistry {
    return this.#parts.registry;
  }

  /**
   * Runs a program and gives its result at the end. Rejects with a CodemodeError when the service
   * failed. What did not start is tried again; an answer that a lost connection kept back is fetched;
   * no program runs twice.
   */
  async execute<S extends OutputSchema = undefined>(
    code: string | ExecuteRequest<S>,
    options?: ExecuteOptions<S>,
  ): Promise<ExecutionResult<ValueOf<S>>> {
    const request = this.#request(code, options);
    const { settings, calls, registry } = this.#parts;
    const tools = registry.select(request.tools);
    if (tools.size > 0) {
      return await startExecution(this.#parts, { ...request, payloads: "small" }, true).outcome;
    }
    const { requestId } = request;
    const call = await prepareExecution(settings, request, tools, { requestId });
    const response = await executeUnary(call, calls, this.#parts);
    return fromExecuteResponse(response, call.correlationId, request.output);
  }

  /**
   * Starts a program and gives its events as they happen; calls of tools are answered whether or not
   * anyone iterates. Never throws: whatever goes wrong comes out of the iteration and of `outcome`.
   */
  stream<S extends OutputSchema = undefined>(
    code: string | ExecuteRequest<S>,
    options?: ExecuteOptions<S>,
  ): Execution<ValueOf<S>> {
    return startExecution(this.#parts, this.#request(code, options), false);
  }

  /**
   * Follows an execution that was started before, by this process or another one of the tenant, live or
   * ended. Leaving it leaves the program running; only its `cancel()` ends that. With `tools` (or
   * `answerTools`) its calls are answered here from now on, those that are open included. Never throws:
   * whatever goes wrong, an unknown id as `not_found`, comes out of the iteration and of `outcome`.
   */
  attach<S extends OutputSchema = undefined>(
    executionId: string,
    options: AttachOptions<S> = {},
  ): Execution<ValueOf<S>> {
    const { settings, bound } = this.#parts;
    const context = { ...settings.context, ...getContext(), ...bound, ...options.context };
    return attachExecution(this.#parts, executionId, { ...options, context });
  }

  /**
   * An execution as it stands, by its id or by the id of its request. Rejects `not_found` when the
   * service does not know it, or no longer.
   */
  getExecution(key: ExecutionKey, options: CallOptions = {}): Promise<ExecutionSummary> {
    return getExecution(this.#parts, key, options);
  }

  /**
   * The tenant's executions that the service knows, newest first; asks for more as they are read.
   * Throws CodemodeErrors out of the iteration.
   */
  listExecutions(
    filter: ExecutionFilter = {},
    options: CallOptions = {},
  ): AsyncIterable<ExecutionSummary> {
    return listExecutions(this.#parts, filter, options);
  }

  /** Ends an execution, whoever started it, and gives it as it stands then; without effect on an ended one. */
  cancelExecution(executionId: string, options: CallOptions = {}): Promise<ExecutionSummary> {
    return cancelExecution(this.#parts, executionId, options);
  }

  /**
   * The registered tools as a prompt needs them: exact signatures (Python stubs or TypeScript
   * declarations) with descriptions, and past `maxTokens` names only, with the way to search.
   */
  describeTools(options: DescribeOptions = {}): Promise<string> {
    return describeTools(this.#parts.registry, options);
  }

  /** The text that teaches a model to write programs for the service, with `describeTools` at its end. */
  toolPrompt(options: DescribeOptions = {}): Promise<string> {
    return toolPrompt(this.#parts.registry, options);
  }

  /** What the server is, which engines and languages are up, under what isolation and limits. */
  async serverInfo(options: CallOptions = {}): Promise<ServerInfo> {
    const response = await readOnce(this.#parts, options, "", ({ client }, attempt) =>
      client.getServerInfo({}, attempt),
    );
    return fromServerInfoMessage(response);
  }

  /**
   * Runs a function under variables that every request made inside it carries, across awaits; the
   * same as the function `withContext`. Which value of a variable wins, from weakest to strongest:
   * `connect`'s `context`, `withContext` (inner over outer), `with`, the request's own `context`.
   */
  withContext<R>(variables: ContextVariables, fn: () => R): R {
    return withContext(variables, fn);
  }

  /**
   * A client whose requests all carry these variables, over the same connections. Closing it ends what
   * was started through it and leaves the connections open.
   */
  with(variables: ContextVariables): Codemode {
    const bound = { ...this.#parts.bound, ...variables };
    const calls = new OpenCalls(this.#parts.calls);
    return new Codemode({ ...this.#parts, bound, calls, isOwner: false });
  }

  /** Cancels what runs through this client and closes its connections. Idempotent; never rejects. */
  async close(): Promise<void> {
    await this.#parts.calls.close();
    if (this.#parts.isOwner) this.#parts.connections.close();
  }

  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #request<S extends OutputSchema>(
    code: string | ExecuteRequest<S>,
    options: ExecuteOptions<S> | undefined,
  ): ExecuteRequest<S> {
    const request = toRequest(code, options);
    const { settings, bound } = this.#parts;
    const context = { ...settings.context, ...getContext(), ...bound, ...request.context };
    return { ...request, context };
  }
}
