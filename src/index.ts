export { Codemode } from "./sdk/codemode.ts";
export {
  type ContextValue,
  type ContextVariables,
  getContext,
  withContext,
} from "./sdk/context.ts";
export {
  type DescribeOptions,
  estimateTokens,
  type PromptLanguage,
} from "./sdk/describe-tools.ts";
export type { Detached, Execution } from "./sdk/execution.ts";
export type { ExecutionKey } from "./sdk/find.ts";
export type { ExecutionFilter } from "./sdk/list-executions.ts";
export type { ConnectOptions, RetryOptions } from "./sdk/options.ts";
export {
  type RegisterOptions,
  ToolRegistry,
  type ToolSelection,
  type ToolSummary,
  type Tools,
} from "./sdk/registry.ts";
export type {
  AttachOptions,
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
export type { RetryBudgetOptions } from "./sdk/retry-budget.ts";
export { type ServeToolsOptions, serveTools, type ToolServer } from "./sdk/serve-tools.ts";
export type { StreamEvent, UnknownEvent } from "./sdk/stream-event.ts";
export {
  defineTool,
  type JsonSchemaLike,
  type Tool,
  type ToolDefinition,
  type ToolFunction,
  type ToolInfo,
  type ToolLike,
  type ToolSchemas,
  type ToolTraits,
} from "./sdk/tool.ts";
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
  Conversion,
  EngineInfo,
  Execution as ExecutionSummary,
  ExecutionEvent,
  ExecutionState,
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
  ToolCall,
  ToolFailure,
  ToolResult,
  Usage,
} from "./shared/model.ts";
