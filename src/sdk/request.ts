import { randomUUID } from "node:crypto";
import { create, type JsonObject } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import {
  type ExecutionRequest as ExecutionRequestMessage,
  ExecutionRequestSchema,
} from "../../gen/es/codemode/v1/execution_pb.ts";
import { ToolPayloads } from "../../gen/es/codemode/v1/tool_pb.ts";
import type { Limits } from "../shared/model.ts";
import { correlationHeader } from "../shared/status.ts";
import { toLimitsMessage } from "../shared/wire/limits.ts";
import { toDuration } from "../shared/wire/time.ts";
import { toToolDeclarationMessage } from "../shared/wire/tool.ts";
import { type ContextVariables, sealContext } from "./context.ts";
import {
  maxTimeoutMs,
  mergeRetry,
  type RetryOptions,
  refuse,
  type Settings,
  withoutUndefined,
} from "./options.ts";
import type { ToolSelection } from "./registry.ts";
import { attachViolations, callViolations, requestViolations } from "./request-faults.ts";
import type { RetriedCall } from "./retry.ts";
import type { RunnableTool } from "./runnable-tool.ts";

/** What bounds one call, whatever it does. */
export interface CallOptions {
  /** Cancels the call when it aborts; the call fails as `cancelled` with the signal's reason as cause. */
  readonly signal?: AbortSignal | undefined;
  /** The longest that the call may take, retries included, milliseconds. Default: the client's. */
  readonly timeoutMs?: number | undefined;
  /** How often the call is tried again when it did not start; false for never. Default: the client's. */
  readonly retry?: RetryOptions | false | undefined;
  /** Headers beside the client's. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Id for traces and logs, 1 to 128 of [A-Za-z0-9._-]. Default: a new UUID. */
  readonly correlationId?: string | undefined;
}

/** A schema that a value can be checked against, of any Standard Schema library; or none. */
export type OutputSchema = StandardSchemaV1 | undefined;

/** Languages that have an engine, and whatever a newer server adds. */
export type Language = "python" | "javascript" | "typescript" | (string & Record<never, never>);

/** How a program is run. */
export interface ExecuteOptions<S extends OutputSchema = undefined> extends CallOptions {
  /** Language of the code. Default: the server's, "python". */
  readonly language?: Language | undefined;
  /** Variables of the tenant; win over ambient and bound ones, key by key. Default: none. */
  readonly context?: ContextVariables | undefined;
  /** Settings for the program, which reads them as `config`. Default: none. */
  readonly config?: ContextVariables | undefined;
  /**
   * Bounds of the execution; fields left out take the server's default. With `wallMs` set and no
   * `timeoutMs`, the deadline of `execute` is `wallMs` + `queueTimeoutMs` + 2 s. `stream` has none
   * without a `timeoutMs` of its own: the reader sets the pace, these limits end the program.
   */
  readonly limits?: ExecutionLimits | undefined;
  /**
   * What the program may call: tools, or the names of registered ones; or tools under their names, the
   * AI SDK's for one. Default: every tool of the client's registry. [] for none.
   */
  readonly tools?: ToolSelection | undefined;
  /** Tool services of the server's configuration whose tools the program may call too. Default: none. */
  readonly toolServices?: readonly string[] | undefined;
  /**
   * What events hold of tools' arguments and results: "full", or "small", without those over 64 KiB.
   * Default "full".
   */
  readonly payloads?: "full" | "small" | undefined;
  /**
   * How long the program lives on while nobody follows it, milliseconds; 0 for not at all. After that
   * it ends as "abandoned". Default 10,000, or the most that the service grants.
   */
  readonly keepWithoutReaderMs?: number | undefined;
  /**
   * Id of the request, 1 to 128 of [A-Za-z0-9._-]. Asking again with the same id gives the same
   * execution, running or ended; with another program it is `already_exists`. Default: a new one.
   */
  readonly requestId?: string | undefined;
  /** Any Standard Schema, zod's for one: types `value`; a misfit fails with reason "invalid_output". */
  readonly output?: S;
}

/** Bounds of one execution; what is left out takes the server's default. */
export type ExecutionLimits = { readonly [K in keyof Limits]?: Limits[K] | undefined };

/** A program and how it is run, in one object. */
export interface ExecuteRequest<S extends OutputSchema = undefined> extends ExecuteOptions<S> {
  /** Source text, at most 1 MiB. The server takes off Markdown fences, and in Python an indent that all of it has. */
  readonly code: string;
}

/** A call that was checked and has its defaults. */
export interface PreparedCall extends RetriedCall {
  readonly headers: Headers;
  readonly signal: AbortSignal | undefined;
  readonly correlationId: string;
}

/** How an execution is followed that runs already. */
export interface AttachOptions<S extends OutputSchema = undefined> extends CallOptions {
  /** Last sequence that was seen; events after it come. Default 0: from the start. */
  readonly afterSequence?: number | undefined;
  /**
   * Answer the program's tool calls from now on, instead of whoever did so before. Default: whether
   * `tools` are given.
   */
  readonly answerTools?: boolean | undefined;
  /** What answers them. Default: every tool of the client's registry. */
  readonly tools?: ToolSelection | undefined;
  /** Variables of the tenant for the tools' handlers; win over ambient and bound ones. Default: none. */
  readonly context?: ContextVariables | undefined;
  /** What events hold of tools' arguments and results, as in `ExecuteOptions`. Default "full". */
  readonly payloads?: "full" | "small" | undefined;
  /** Schema of the value, as in `ExecuteOptions`. */
  readonly output?: S;
}

/** A call that follows an execution's log; checked. */
export interface PreparedFollow extends PreparedCall {
  /** Id of the request that the execution was started with; undefined where it is not known here. */
  readonly requestId?: string;
  readonly payloads: ToolPayloads;
  /** As the caller gave it when it asked; frozen. */
  readonly context: ContextVariables;
  /** A reader takes its time over the events, and no deadline of the call may count that. */
  readonly isPacedByReader: boolean;
  /** How long the way back to the execution is looked for after a loss, milliseconds. */
  readonly patienceMs: number;
}

/** A request that was checked and is ready to be sent. */
export interface PreparedExecution extends PreparedFollow {
  /** The request as one server gets it; a server that says no limit is asked for what is wished. */
  readonly toMessage: (maxKeepMs?: number) => ExecutionRequestMessage;
  readonly requestId: string;
  /** The caller chose the id, so that it may be that of an execution which runs already. */
  readonly isCallersId: boolean;
}

// Time for the answer to come back after the execution's own limit has ended it.
const answerMs = 2_000;
// How long an execution lives without a reader where nobody says so.
const defaultKeepMs = 10_000;

/** Code and options, or a request and options that win over it, as one request. */
export function toRequest<S extends OutputSchema>(
  code: string | ExecuteRequest<S>,
  options: ExecuteOptions<S> = {},
): ExecuteRequest<S> {
  const set = withoutUndefined(options) as ExecuteOptions<S>;
  return typeof code === "string" ? { ...set, code } : { ...code, ...set };
}

/** Checks what every call takes; throws `invalid_request` naming every fault. */
export function prepareCall(
  settings: Settings,
  options: CallOptions,
  effect: PreparedCall["effect"],
): PreparedCall {
  refuse(callViolations(options));
  const { signal, timeoutMs = settings.timeoutMs, correlationId = randomUUID() } = options;
  const headers = toHeaders(settings, { ...options, correlationId });
  const retry = mergeRetry(settings.retry, options.retry);
  return { effect, headers, signal, timeoutMs, correlationId, retry };
}

/** What a request is prepared with beside its options. */
export interface PrepareOptions {
  /** The caller's, or one that was made for it. Default: a new one. */
  readonly requestId?: string | undefined;
  /** Default false. */
  readonly isPacedByReader?: boolean;
}

/**
 * Checks a request that has its whole context; rejects with `invalid_request` naming every fault. What
 * the caller changes after the call does not count.
 */
export async function prepareExecution(
  settings: Settings,
  request: ExecuteRequest<OutputSchema>,
  tools: ReadonlyMap<string, RunnableTool>,
  { requestId = randomUUID(), isPacedByReader = false }: PrepareOptions = {},
): Promise<PreparedExecution> {
  refuse(requestViolations(request));
  const { code, language, context = {}, config = {}, limits = {}, toolServices = [] } = request;
  const { keepWithoutReaderMs } = request;
  const { wallMs } = limits;
  const fromLimits = wallMs
    ? Math.min(wallMs + settings.queueTimeoutMs + answerMs, maxTimeoutMs)
    : undefined;
  const timeoutMs = request.timeoutMs ?? fromLimits;
  const sealed = { context: sealContext(context), config: sealContext(config) };
  const message = create(ExecutionRequestSchema, {
    code,
    ...(language === undefined ? {} : { language }),
    context: sealed.context as JsonObject,
    config: sealed.config as JsonObject,
    limits: toLimitsMessage(withoutUndefined(limits)),
    toolServices: [...toolServices],
    requestId,
  });
  const prepared = prepareCall(settings, { ...request, timeoutMs }, "execution");
  const declarations = await Promise.all([...tools.values()].map((tool) => tool.declare()));
  message.tools.push(...declarations.map(toToolDeclarationMessage));
  const toMessage = (maxKeepMs = defaultKeepMs) => {
    const keepMs = keepWithoutReaderMs ?? Math.min(defaultKeepMs, maxKeepMs);
    return { ...message, keepWithoutReader: create(DurationSchema, toDuration(keepMs)) };
  };
  return {
    ...prepared,
    toMessage,
    requestId,
    isCallersId: request.requestId !== undefined,
    payloads: toPayloads(request.payloads),
    context: sealed.context,
    isPacedByReader,
    // After that the execution is abandoned; its log is there for longer.
    patienceMs: Math.max(keepWithoutReaderMs ?? 0, defaultKeepMs),
  };
}

/** Checks what an attachment takes, with its whole context; throws `invalid_request` naming every fault. */
export function prepareAttach(
  settings: Settings,
  options: AttachOptions<OutputSchema>,
): PreparedFollow {
  refuse(attachViolations(options));
  return {
    ...prepareCall(settings, options, "execution"),
    payloads: toPayloads(options.payloads),
    context: sealContext(options.context ?? {}),
    isPacedByReader: options.timeoutMs === undefined,
    patienceMs: defaultKeepMs,
  };
}

function toPayloads(payloads: "full" | "small" | undefined): ToolPayloads {
  return payloads === "small" ? ToolPayloads.SMALL : ToolPayloads.FULL;
}

/** The headers of a call: the client's, the call's own, the correlation id. */
export function toHeaders(settings: Settings, options: CallOptions): Headers {
  const headers = new Headers(settings.headers);
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  if (options.correlationId !== undefined) headers.set(correlationHeader, options.correlationId);
  return headers;
}
