/** A JSON value; integers beyond 2^53 are `bigint`. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** An output channel of a guest. */
export type Channel = "stdout" | "stderr";

/** How strong the wall around a guest is: none, one with holes, one whole, two. */
export type IsolationTier = "T0" | "T1" | "T2" | "T3";

/** What ended a program that has no value. The host alone decides all but the first three and `memory`. */
export type FailureReason =
  | "exception"
  | "syntax"
  | "type_check"
  | "memory"
  | "timeout"
  | "output_limit"
  | "tool_budget"
  | "cancelled"
  | "abandoned"
  | "crashed";

/** Bounds of one execution; every field is set once a request has been validated. */
export interface Limits {
  /** Everything from start to finish, milliseconds. */
  readonly wallMs: number;
  /** CPU time of the guest over all its threads, milliseconds. */
  readonly activeMs: number;
  /** The longest that one tool call may stay open, milliseconds. */
  readonly waitMs: number;
  /** Memory beyond the fresh interpreter, bytes. */
  readonly memoryBytes: number;
  /** stdout and stderr together, bytes. */
  readonly outputBytes: number;
  /** Tool calls in all, refused ones included. */
  readonly toolCalls: number;
  /** Tool calls open at once. */
  readonly openToolCalls: number;
  /** Threads at once, the first included. */
  readonly threads: number;
}

/** How a tool call looks to the guest: decided by its place, always blocking, always awaitable. */
export type ToolCallForm = "auto" | "sync" | "async";

/** A tool that a caller declares with a request. */
export interface ToolDeclaration {
  readonly name: string;
  readonly description: string;
  /** JSON Schema as text; empty for any. */
  readonly inputSchemaJson: string;
  /** JSON Schema as text; empty for any. */
  readonly outputSchemaJson: string;
  readonly callForm: ToolCallForm;
  readonly readOnly: boolean;
  readonly idempotent: boolean;
}

/** What a text is without its Markdown fences: an engine runs it where the text itself does not parse. */
export interface Unfenced {
  /** All but the inside of the fences blank, so that lines keep their numbers. */
  readonly code: string;
  /** Why it is no program, a syntax error at `line`; otherwise empty. */
  readonly fault: string;
  readonly line: number;
}

/** A validated request: past `service/request.ts` every field is set and within its bounds. */
export interface ExecutionRequest {
  readonly code: string;
  readonly unfenced: Unfenced | undefined;
  readonly language: string;
  readonly context: JsonObject;
  readonly config: JsonObject;
  readonly limits: Limits;
  readonly tools: readonly ToolDeclaration[];
  readonly toolServices: readonly string[];
  readonly keepWithoutReaderMs: number;
  /** Empty when the caller gave none. */
  readonly requestId: string;
  readonly correlationId: string;
}

/** The value of a program that ran to its end. */
export interface ProgramValue {
  /** JSON text when the value is a JSON value. */
  readonly json: string | undefined;
  /** What `str()` gives, cut to 256 KiB. */
  readonly text: string;
  /** Name of its type. */
  readonly type: string;
  /** What of it is not JSON and was converted: the first ten of each type. */
  readonly conversions: readonly Conversion[];
  /** Why it has no JSON, or what the program had left open. Usually empty. */
  readonly notes: readonly string[];
}

/** A place in a program's value that is not JSON and was converted. */
export interface Conversion {
  /** The place, such as "$.items[3].date". */
  readonly path: string;
  /** Name of the type that stood there, such as "datetime". */
  readonly type: string;
}

/** Why a program has no value. */
export interface Failure {
  readonly reason: FailureReason;
  /** Type of the exception; empty when there was none. */
  readonly type: string;
  readonly message: string;
  /** The guest's own frames; empty when there was no exception. */
  readonly traceback: string;
  /** Line of the guest's source, from 1; 0 when unknown. */
  readonly line: number;
}

/** What an execution used. */
export interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
  readonly outputBytes: number;
  readonly toolCalls: number;
}

/** How a program ended: with a value or a failure, never both. */
export type ProgramResult =
  | { readonly status: "completed"; readonly value: ProgramValue }
  | { readonly status: "failed"; readonly error: Failure };

/** A program's result, and under what it came about. */
export type Outcome = ProgramResult & {
  readonly usage: Usage;
  readonly isolationTier: IsolationTier | undefined;
  /** Empty when it never started. */
  readonly engine: string;
  readonly warnings: readonly string[];
};

/** Why a tool call has no value. */
export interface ToolFailure {
  readonly kind:
    | "exception"
    | "invalid_arguments"
    | "invalid_result"
    | "not_granted"
    | "timeout"
    | "cancelled"
    | "unavailable";
  readonly type: string;
  readonly message: string;
}

/** A call that a guest made, as the host recorded it. */
export interface ToolCall {
  readonly callId: string;
  /** The call's place in the program: parent task's key, "/", index among its calls. */
  readonly callKey: string;
  readonly tool: string;
  readonly argumentsJson: string;
  /** The arguments are left out of this view because of their size. */
  readonly argumentsOmitted?: boolean;
}

/** What a call came to: JSON text, or why there is none. */
export type ToolAnswer =
  | {
      readonly resultJson: string;
      /** The result is left out of this view because of its size. */
      readonly resultOmitted?: boolean;
    }
  | { readonly error: ToolFailure };

/** The one answer to a call. */
export type ToolResult = { readonly callId: string } & ToolAnswer;

/** What happened, before the log has numbered it. */
export type EventBody =
  | {
      readonly type: "started";
      readonly seed: bigint;
      readonly engine: string;
      readonly instanceId: string;
      readonly executionId: string;
      readonly correlationId: string;
      readonly language: string;
      readonly isolationTier: IsolationTier | undefined;
    }
  | { readonly type: "output"; readonly channel: Channel; readonly text: string }
  | ({ readonly type: "tool_call" } & ToolCall)
  | ({ readonly type: "tool_result" } & ToolResult)
  | { readonly type: "finished"; readonly outcome: Outcome }
  | { readonly type: "trimmed"; readonly firstSequence: number; readonly omittedBytes: number }
  /** Another reader answers the caller's calls from here on. The one that started it is host 1. */
  | { readonly type: "tool_host_changed"; readonly host: number };

/** One entry of an execution's log: numbered from 1 without a gap, `finished` last. */
export type ExecutionEvent = EventBody & {
  readonly sequence: number;
  readonly time: Date;
  readonly attempt: number;
};

/** Where an execution is. */
export type ExecutionState = "queued" | "running" | "suspended" | "finished";

/** An execution as it stands. */
export interface Execution {
  readonly executionId: string;
  readonly state: ExecutionState;
  readonly outcome: Outcome | undefined;
  readonly correlationId: string;
  readonly instanceId: string;
  readonly language: string;
  readonly createTime: Date;
  readonly startTime: Date | undefined;
  readonly endTime: Date | undefined;
  readonly requestId: string;
  /** Sequence of the log's last event so far. */
  readonly lastSequence: number;
}

/** Where a log stood when a reader was attached to it. */
export interface Attached {
  /** Sequence of its last event at that moment; 0 for an empty log. */
  readonly lastSequence: number;
  /** The caller's calls that are open and now this reader's to answer, oldest first; none for a watcher. */
  readonly openCalls: readonly ToolCall[];
}

/** A live attempt to break out of a sandbox, and whether it was refused, as it must be. */
export interface IsolationProbe {
  readonly name: string;
  readonly refused: boolean;
  /** What came back, such as "EPERM". */
  readonly detail: string;
}

/** An engine and its state. */
export interface EngineInfo {
  readonly name: string;
  readonly languages: readonly string[];
  readonly up: boolean;
  /** Why it is not up; empty when it is. */
  readonly reason: string;
  readonly version: string;
  readonly isolationTier: IsolationTier | undefined;
  readonly probes: readonly IsolationProbe[];
  readonly warnings: readonly string[];
}

/** What a server is, what it can run, and within which limits. */
export interface ServerInfo {
  readonly version: string;
  readonly instanceId: string;
  readonly engines: readonly EngineInfo[];
  readonly defaultLimits: Limits;
  readonly maxLimits: Limits;
  readonly maxCodeBytes: number;
  readonly maxKeepWithoutReaderMs: number;
  readonly requiredIsolationTier: IsolationTier;
  readonly queueTimeoutMs: number;
}
