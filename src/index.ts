export { Codemode } from "./sdk/codemode.ts";
export {
  type ContextValue,
  type ContextVariables,
  getContext,
  withContext,
} from "./sdk/context.ts";
export type { Execution } from "./sdk/execution.ts";
export type { ConnectOptions, RetryOptions } from "./sdk/options.ts";
export type {
  CallOptions,
  ExecuteOptions,
  ExecuteRequest,
  ExecutionLimits,
  Language,
  OutputSchema,
} from "./sdk/request.ts";
export type {
  CompletedResult,
  ExecutionFailure,
  ExecutionReport,
  ExecutionResult,
  FailedResult,
  ValueOf,
} from "./sdk/result.ts";
export type { StreamEvent, UnknownEvent } from "./sdk/stream-event.ts";
export type { Protocol } from "./sdk/transport.ts";
export { ExecutionFailed, unwrap } from "./sdk/unwrap.ts";
export { defaultRetryPolicy, type RetryPolicy } from "./shared/backoff.ts";
export {
  CodemodeConnectionError,
  CodemodeError,
  CodemodeTimeoutError,
  type ErrorKind,
  type FieldViolation,
  type QuotaViolation,
} from "./shared/errors.ts";
export type {
  Channel,
  EngineInfo,
  ExecutionEvent,
  Failure,
  FailureReason,
  IsolationProbe,
  IsolationTier,
  JsonObject,
  JsonValue,
  Limits,
  Outcome,
  ProgramValue,
  ServerInfo,
  ToolFailure,
  Usage,
} from "./shared/model.ts";
