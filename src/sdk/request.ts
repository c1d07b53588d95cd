import { randomUUID } from "node:crypto";
import { create, type JsonObject } from "@bufbuild/protobuf";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import {
  type ExecutionRequest as ExecutionRequestMessage,
  ExecutionRequestSchema,
} from "../../gen/es/codemode/v1/execution_pb.ts";
import { ToolPayloads } from "../../gen/es/codemode/v1/tool_pb.ts";
import type { FieldViolation } from "../shared/errors.ts";
import type { Limits } from "../shared/model.ts";
import { correlationHeader } from "../shared/status.ts";
import { toLimitsMessage } from "../shared/wire/limits.ts";
import { toToolDeclarationMessage } from "../shared/wire/tool.ts";
import { type ContextVariables, sealContext } from "./context.ts";
import {
  durationViolations,
  headerViolations,
  maxTimeoutMs,
  mergeRetry,
  type RetryOptions,
  refuse,
  retryViolations,
  type Settings,
  withoutUndefined,
} from "./options.ts";
import type { ToolSelection } from "./registry.ts";
import type { RetriedCall } from "./retry.ts";
import type { RunnableTool } from "./runnable-tool.ts";
import { structViolations } from "./struct.ts";

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
  /** Any Standard Schema, zod's for one: types `value`; a misfit fails with reason "invalid_output". */
  readonly output?: S;
}

/** Bounds of one execution; what is left out takes the server's default. */
export type ExecutionLimits = { readonly [K in keyof Limits]?: Limits[K] | undefined };

/** A program and how it is run, in one object. */
export interface ExecuteRequest<S extends OutputSchema = undefined> extends ExecuteOptions<S> {
  /** Source text, at most 1 MiB; a fenced code block is unwrapped by the server. */
  readonly code: string;
}

/** A call that was checked and has its defaults. */
export interface PreparedCall extends RetriedCall {
  readonly headers: Headers;
  readonly signal: AbortSignal | undefined;
  readonly correlationId: string;
}

/** A request that was checked and is ready to be sent. */
export interface PreparedExecution extends PreparedCall {
  readonly message: ExecutionRequestMessage;
  readonly payloads: ToolPayloads;
  /** As the caller gave it when it asked; frozen. */
  readonly context: ContextVariables;
  /** A reader takes its time over the events, and no deadline of the call may count that. */
  readonly isPacedByReader: boolean;
}

const limitNames: Readonly<Record<keyof ExecutionLimits, true>> = {
  wallMs: true,
  activeMs: true,
  waitMs: true,
  memoryBytes: true,
  outputBytes: true,
  toolCalls: true,
  openToolCalls: true,
  threads: true,
};

const requestNames: Readonly<Record<keyof ExecuteRequest<OutputSchema>, true>> = {
  code: true,
  language: true,
  context: true,
  config: true,
  limits: true,
  output: true,
  tools: true,
  toolServices: true,
  payloads: true,
  signal: true,
  timeoutMs: true,
  retry: true,
  headers: true,
  correlationId: true,
};

// Time for the answer to come back after the execution's own limit has ended it.
const answerMs = 2_000;

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

/**
 * Checks a request that has its whole context; rejects with `invalid_request` naming every fault. What
 * the caller changes after the call does not count.
 */
export async function prepareExecution(
  settings: Settings,
  request: ExecuteRequest<OutputSchema>,
  tools: ReadonlyMap<string, RunnableTool>,
  isPacedByReader = false,
): Promise<PreparedExecution> {
  const { code, language, context = {}, config = {}, limits = {}, toolServices = [] } = request;
  refuse([
    ...(typeof code === "string" ? [] : [{ field: "code", description: "expected text" }]),
    ...structViolations(context, "context"),
    ...structViolations(config, "config"),
    ...unknownFields(request),
    ...limitViolations(limits),
    ...toolViolations(request),
    ...callViolations(request),
  ]);
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
  });
  const prepared = prepareCall(settings, { ...request, timeoutMs }, "execution");
  const declarations = await Promise.all([...tools.values()].map((tool) => tool.declare()));
  message.tools.push(...declarations.map(toToolDeclarationMessage));
  const payloads = request.payloads === "small" ? ToolPayloads.SMALL : ToolPayloads.FULL;
  return { ...prepared, message, payloads, context: sealed.context, isPacedByReader };
}

/** The headers of a call: the client's, the call's own, the correlation id. */
export function toHeaders(settings: Settings, options: CallOptions): Headers {
  const headers = new Headers(settings.headers);
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  if (options.correlationId !== undefined) headers.set(correlationHeader, options.correlationId);
  return headers;
}

function callViolations(options: CallOptions): FieldViolation[] {
  const { timeoutMs, correlationId } = options;
  const isGoodId = correlationId === undefined || /^[\w.-]{1,128}$/.test(correlationId);
  return [
    ...(timeoutMs === undefined ? [] : durationViolations(timeoutMs, "timeoutMs")),
    ...retryViolations(options.retry),
    ...headerViolations(options.headers),
    ...(isGoodId
      ? []
      : [{ field: "correlationId", description: "expected 1 to 128 of [A-Za-z0-9._-]" }]),
  ];
}

function toolViolations(request: ExecuteRequest<OutputSchema>): FieldViolation[] {
  const { toolServices = [], payloads } = request;
  const isNames =
    Array.isArray(toolServices) &&
    toolServices.every((name) => name !== "" && typeof name === "string");
  const isPayloads = payloads === undefined || payloads === "full" || payloads === "small";
  return [
    ...(isNames ? [] : [{ field: "toolServices", description: "expected a list of names" }]),
    ...(isPayloads ? [] : [{ field: "payloads", description: 'expected "full" or "small"' }]),
  ];
}

function limitViolations(limits: ExecutionLimits): FieldViolation[] {
  return Object.entries(limits).flatMap(([name, value]) => {
    if (!Object.hasOwn(limitNames, name)) return [unknownField(`limits.${name}`)];
    const isGood =
      value === undefined ||
      (value >= 0 && (name.endsWith("Ms") ? Number.isFinite(value) : Number.isSafeInteger(value)));
    const unit = name.endsWith("Ms") ? "milliseconds" : "an integer";
    return isGood ? [] : [{ field: `limits.${name}`, description: `expected ${unit}, 0 or more` }];
  });
}

/** Fields that are not ours: a misspelled limit must not be a missing one. */
function unknownFields(request: ExecuteRequest<OutputSchema>): FieldViolation[] {
  return Object.keys(request)
    .filter((name) => !Object.hasOwn(requestNames, name))
    .map(unknownField);
}

function unknownField(field: string): FieldViolation {
  return { field, description: "no such field" };
}
