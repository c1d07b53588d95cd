import type { FieldViolation } from "../shared/errors.ts";
import { durationViolations, headerViolations, maxTimeoutMs, retryViolations } from "./options.ts";
import type {
  AttachOptions,
  CallOptions,
  ExecuteRequest,
  ExecutionLimits,
  OutputSchema,
} from "./request.ts";
import { structViolations } from "./struct.ts";

type Request = ExecuteRequest<OutputSchema>;

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

const requestNames: Readonly<Record<keyof Request, true>> = {
  code: true,
  language: true,
  context: true,
  config: true,
  limits: true,
  output: true,
  tools: true,
  toolServices: true,
  payloads: true,
  keepWithoutReaderMs: true,
  requestId: true,
  signal: true,
  timeoutMs: true,
  retry: true,
  headers: true,
  correlationId: true,
};

/** Faults of a request that has its whole context. */
export function requestViolations(request: Request): FieldViolation[] {
  const { code, context = {}, config = {}, limits = {}, keepWithoutReaderMs = 0 } = request;
  const isKeep = keepWithoutReaderMs >= 0 && keepWithoutReaderMs <= maxTimeoutMs;
  return [
    ...(typeof code === "string" ? [] : [{ field: "code", description: "expected text" }]),
    ...structViolations(context, "context"),
    ...structViolations(config, "config"),
    ...unknownFields(request),
    ...limitViolations(limits),
    ...toolViolations(request),
    ...(isKeep ? [] : [{ field: "keepWithoutReaderMs", description: "expected milliseconds" }]),
    ...idViolations(request.requestId, "requestId"),
    ...callViolations(request),
  ];
}

/** Faults of what every call takes. */
export function callViolations(options: CallOptions): FieldViolation[] {
  const { timeoutMs } = options;
  return [
    ...(timeoutMs === undefined ? [] : durationViolations(timeoutMs, "timeoutMs")),
    ...retryViolations(options.retry),
    ...headerViolations(options.headers),
    ...idViolations(options.correlationId, "correlationId"),
  ];
}

/** Faults of what an attachment takes beside that. */
export function attachViolations(options: AttachOptions<OutputSchema>): FieldViolation[] {
  const { afterSequence = 0, answerTools, tools, context = {} } = options;
  const isSequence = Number.isSafeInteger(afterSequence) && afterSequence >= 0;
  const isIdle = answerTools === false && tools !== undefined;
  return [
    ...(isSequence ? [] : [{ field: "afterSequence", description: "expected an integer from 0" }]),
    ...(isIdle ? [{ field: "tools", description: "a reader that only watches has none" }] : []),
    ...structViolations(context, "context"),
    ...payloadsViolations(options.payloads),
    ...callViolations(options),
  ];
}

function idViolations(id: string | undefined, field: string): FieldViolation[] {
  if (id === undefined || /^[\w.-]{1,128}$/.test(id)) return [];
  return [{ field, description: "expected 1 to 128 of [A-Za-z0-9._-]" }];
}

function payloadsViolations(payloads: Request["payloads"]): FieldViolation[] {
  if (payloads === undefined || payloads === "full" || payloads === "small") return [];
  return [{ field: "payloads", description: 'expected "full" or "small"' }];
}

function toolViolations({ toolServices = [], payloads }: Request): FieldViolation[] {
  const isNames =
    Array.isArray(toolServices) &&
    toolServices.every((name) => name !== "" && typeof name === "string");
  return [
    ...(isNames ? [] : [{ field: "toolServices", description: "expected a list of names" }]),
    ...payloadsViolations(payloads),
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
function unknownFields(request: Request): FieldViolation[] {
  return Object.keys(request)
    .filter((name) => !Object.hasOwn(requestNames, name))
    .map(unknownField);
}

function unknownField(field: string): FieldViolation {
  return { field, description: "no such field" };
}
