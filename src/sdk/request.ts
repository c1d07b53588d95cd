import { randomUUID } from "node:crypto";
import { create, type JsonObject } from "@bufbuild/protobuf";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import {
  type ExecutionRequest as ExecutionRequestMessage,
  ExecutionRequestSchema,
} from "../../gen/es/codemode/v1/execution_pb.ts";
import type { FieldViolation } from "../shared/errors.ts";
import type { Limits } from "../shared/model.ts";
import { correlationHeader } from "../shared/status.ts";
import { toLimitsMessage } from "../shared/wire/limits.ts";
import type { ContextVariables } from "./context.ts";
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
import type { RetriedCall } from "./retry.ts";
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
   * `timeoutMs`, the call's deadline is `wallMs` + `queueTimeoutMs` + 2 s.
   */
  readonly limits?: ExecutionLimits | undefined;
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
}

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

/** Checks a request that has its whole context; throws `invalid_request` naming every fault. */
export function prepareExecution(
  settings: Settings,
  request: ExecuteRequest<OutputSchema>,
): PreparedExecution {
  const { code, language, context = {}, config = {}, limits = {} } = request;
  refuse([
    ...(typeof code === "string" ? [] : [{ field: "code", description: "expected text" }]),
    ...structViolations(context, "context"),
    ...structViolations(config, "config"),
    ...limitViolations(limits),
    ...callViolations(request),
  ]);
  const { wallMs } = limits;
  const fromLimits = wallMs
    ? Math.min(wallMs + settings.queueTimeoutMs + answerMs, maxTimeoutMs)
    : undefined;
  const timeoutMs = request.timeoutMs ?? fromLimits;
  return {
    ...prepareCall(settings, { ...request, timeoutMs }, "execution"),
    message: create(ExecutionRequestSchema, {
      code,
      ...(language === undefined ? {} : { language }),
      context: context as JsonObject,
      config: config as JsonObject,
      limits: toLimitsMessage(withoutUndefined(limits)),
    }),
  };
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

function limitViolations(limits: ExecutionLimits): FieldViolation[] {
  return Object.entries(limits).flatMap(([name, value]) => {
    const isGood =
      value === undefined ||
      (value >= 0 && (name.endsWith("Ms") ? Number.isFinite(value) : Number.isSafeInteger(value)));
    const unit = name.endsWith("Ms") ? "milliseconds" : "an integer";
    return isGood ? [] : [{ field: `limits.${name}`, description: `expected ${unit}, 0 or more` }];
  });
}
