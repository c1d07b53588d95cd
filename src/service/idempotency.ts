import { untilAborted } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { Execution, ExecutionRequest } from "../shared/model.ts";
import { correlationHeader, executionIdTrailer, joinedHeader } from "../shared/status.ts";
import type { Call } from "./call.ts";
import { callEnded, noSuchExecution } from "./endings.ts";
import type { Executions } from "./executions.ts";
import { rememberedExecution, rememberedReader } from "./idempotency-ended.ts";
import type { IdempotencyTable, KnownRequest } from "./idempotency-table.ts";
import type { Reader } from "./reader.ts";

/** What requests with an id are kept in, and what runs them. */
export interface IdempotencyOptions {
  readonly executions: Executions;
  readonly table: IdempotencyTable;
}

/** How a call reads the execution that it starts or joins. */
export interface StartOptions {
  /** Aborts when the call is over. */
  readonly signal: AbortSignal;
  /** Whether the call answers the tools of its request on its own stream. */
  readonly answersTools: boolean;
}

/** Runs the program of each request once, however often a request with an id is made. */
export interface Idempotency {
  /**
   * A reader of the request's execution: one that it starts, or the one of the same request made
   * before. Rejects with a CodemodeError: `already_exists` when the id is that of another request,
   * `overloaded`, and for one made before also as `Executions.attach`.
   */
  start(request: ExecutionRequest, call: Call, options: StartOptions): Promise<Reader>;
  /**
   * The execution of a request of the tenant as it stands. Throws a CodemodeError: `not_found` where
   * none is known, `execution_lost`.
   */
  get(requestId: string, tenant: string): Execution;
}

/** Puts a table of request ids before the executions. */
export function createIdempotency({ executions, table }: IdempotencyOptions): Idempotency {
  function startNew(request: ExecutionRequest, call: Call, signal: AbortSignal): Reader {
    const reader = executions.start(request, call, signal);
    void reader.over.then(() => settle(reader, call.tenant));
    return reader;
  }

  function settle(reader: Reader, tenant: string): void {
    const summary = reader.summary();
    const { executionId, startTime, requestId } = summary;
    if (startTime === undefined) table.release(tenant, requestId, executionId);
    else {
      const { lastSequence, failure } = reader;
      table.end(tenant, summary, { lastSequence, isLost: failure !== undefined });
    }
  }

  async function join(
    { executionId, end }: KnownRequest,
    { tools, correlationId }: ExecutionRequest,
    call: Call,
    { signal, answersTools }: StartOptions,
  ): Promise<Reader> {
    call.setHeader?.(joinedHeader, "1");
    call.setTrailer(correlationHeader, correlationId);
    call.setTrailer(executionIdTrailer, executionId);
    // No gRPC client's retry policy may run it elsewhere, whatever becomes of this call: so nothing is
    // said, and no error, before the client has the headers that forbid it.
    const committed = call.commit();
    const answerTools = answersTools && tools.length > 0;
    // A deadline that the caller did not set bounds nothing but its own call.
    const place = { afterSequence: 0, answerTools, endsAt: call.endsAt ?? Infinity };
    try {
      // Attached in this turn of the loop: later the execution might be no more.
      return await executions.attach(executionId, call.tenant, place, signal);
    } catch (error) {
      if (end === undefined || !isNotFound(error)) throw error;
      return rememberedReader({ ...end, executionId }, signal);
    } finally {
      await committed;
    }
  }

  return {
    async start(request, call, options) {
      const { signal } = options;
      if (request.requestId === "") return executions.start(request, call, signal);
      for (;;) {
        const { started, known } = table.claim(call.tenant, request, () =>
          startNew(request, call, signal),
        );
        if (started !== undefined) return started;
        const givenUp = executions.givenUp(known.executionId, call.tenant);
        if (givenUp === undefined) return await join(known, request, call, options);
        // Nobody can have its outcome any more, for it has none: its id is about to be free.
        await untilAborted(givenUp, signal).catch((reason: unknown) => {
          throw callEnded(reason);
        });
      }
    },

    get(requestId, tenant) {
      const known = table.get(tenant, requestId);
      if (known === undefined) throw noSuchExecution();
      const { executionId, end } = known;
      try {
        return executions.get(executionId, tenant);
      } catch (error) {
        if (end === undefined || !isNotFound(error)) throw error;
        return rememberedExecution({ ...end, executionId });
      }
    },
  };
}

function isNotFound(error: unknown): boolean {
  return CodemodeError.is(error) && error.kind === "not_found";
}
