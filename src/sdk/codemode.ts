import { randomUUID } from "node:crypto";
import type { ServerInfo } from "../shared/model.ts";
import { fromServerInfoMessage } from "../shared/wire/server-info.ts";
import { type ContextVariables, getContext, withContext } from "./context.ts";
import { optionsFromEnv } from "./env.ts";
import { Execution, graceMs } from "./execution.ts";
import { followExecution } from "./follow.ts";
import { OpenCalls } from "./open-calls.ts";
import { type ConnectOptions, type Settings, toSettings } from "./options.ts";
import {
  type CallOptions,
  type ExecuteOptions,
  type ExecuteRequest,
  type OutputSchema,
  prepareCall,
  prepareExecution,
  toHeaders,
  toRequest,
} from "./request.ts";
import { type ExecutionResult, fromExecuteResponse, toResult, type ValueOf } from "./result.ts";
import { type Connection, createConnection } from "./transport.ts";
import { runUnary } from "./unary.ts";

/** What a client shares with those bound to it, and what is its own. */
interface Parts {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly bound: ContextVariables;
  readonly calls: OpenCalls;
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
    const connection = createConnection(settings.connection);
    const calls = new OpenCalls();
    return new Codemode({ connection, settings, bound: {}, calls, isOwner: true });
  }

  /**
   * Makes a client from CODEMODE_EXECUTOR_URL, CODEMODE_EXECUTOR_API_KEY (optional) and
   * CODEMODE_EXECUTOR_TIMEOUT (optional, seconds). Overrides win; a missing or malformed variable is
   * an `invalid_request` that names it.
   */
  static fromEnv(overrides: Partial<ConnectOptions> = {}): Codemode {
    return Codemode.connect(optionsFromEnv(overrides));
  }

  /**
   * Runs a program and gives its result at the end. Rejects with a CodemodeError when the service
   * failed. A call that did not start is tried again, any other never.
   */
  async execute<S extends OutputSchema = undefined>(
    code: string | ExecuteRequest<S>,
    options?: ExecuteOptions<S>,
  ): Promise<ExecutionResult<ValueOf<S>>> {
    const { connection, settings, calls } = this.#parts;
    const request = this.#request(code, options);
    const call = prepareExecution(settings, request);
    const response = await runUnary(call, calls, (attempt) =>
      connection.client.execute({ request: call.message }, attempt),
    );
    return fromExecuteResponse(response, call.correlationId, request.output);
  }

  /**
   * Starts a program and gives its events as they happen. Never throws: whatever goes wrong comes
   * out of the iteration and of `outcome`.
   */
  stream<S extends OutputSchema = undefined>(
    code: string | ExecuteRequest<S>,
    options?: ExecuteOptions<S>,
  ): Execution<ValueOf<S>> {
    const { connection, settings, calls } = this.#parts;
    const { client } = connection;
    const { correlationId = randomUUID(), ...asked } = this.#request(code, options);
    const request = { ...asked, correlationId };
    return new Execution({
      async *follow(scope) {
        calls.check();
        yield* followExecution(client, prepareExecution(settings, request), scope);
      },
      cancel: (executionId) => {
        const headers = toHeaders(settings, request);
        return client.cancelExecution({ executionId }, { headers, timeoutMs: graceMs });
      },
      toResult: (outcome, head) => toResult(outcome, head, request.output),
      calls,
      signal: request.signal,
      correlationId,
    });
  }

  /** What the server is, which engines and languages are up, under what isolation and limits. */
  async serverInfo(options: CallOptions = {}): Promise<ServerInfo> {
    const { connection, settings, calls } = this.#parts;
    const response = await runUnary(prepareCall(settings, options, "read"), calls, (attempt) =>
      connection.client.getServerInfo({}, attempt),
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
   * A client whose requests all carry these variables, over the same connection. Closing it ends what
   * was started through it and leaves the connection open.
   */
  with(variables: ContextVariables): Codemode {
    const bound = { ...this.#parts.bound, ...variables };
    const calls = new OpenCalls(this.#parts.calls);
    return new Codemode({ ...this.#parts, bound, calls, isOwner: false });
  }

  /** Cancels what runs through this client and closes its connection. Idempotent; never rejects. */
  async close(): Promise<void> {
    await this.#parts.calls.close();
    if (this.#parts.isOwner) this.#parts.connection.close();
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
