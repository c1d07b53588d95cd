import type {
  Channel,
  EngineInfo,
  JsonObject,
  Limits,
  ProgramResult,
  ToolCallForm,
  ToolResult,
  Unfenced,
  Usage,
} from "../shared/model.ts";

/** A tool as a guest knows it: enough to call it, and to say what was wrong with a call. */
export interface GuestTool {
  readonly name: string;
  readonly callForm: ToolCallForm;
  /** One line in the program's language, such as "weather(location: str) -> dict". */
  readonly signature: string;
  /** Names of the arguments; undefined where any are taken. */
  readonly parameters: readonly string[] | undefined;
  readonly required: readonly string[];
  /** Names of arguments that are null where the program leaves them out. Default: none. */
  readonly nullWhenAbsent?: readonly string[] | undefined;
  /** Names of arguments that are left out where the program gives null. Default: none. */
  readonly absentWhenNull?: readonly string[] | undefined;
}

/** What a guest is given. Never a secret, a tenant's identity or the execution's id. */
export interface Program {
  readonly code: string;
  /** What to run where `code` does not parse as it stands; undefined where there is nothing else. */
  readonly unfenced?: Unfenced | undefined;
  readonly language: string;
  /** The copy that the guest sees. */
  readonly context: JsonObject;
  readonly config: JsonObject;
  readonly limits: Limits;
  /** Seed of the guest's `random`. */
  readonly seed: bigint;
  readonly tools: readonly GuestTool[];
  /** Opaque: programs of one group belong to one tenant, so that what delays one may delay another. */
  readonly group: string;
  /** The host may grant tools that are not listed: unknown names are its to refuse. */
  readonly hasMoreTools: boolean;
}

/** What a guest used, as the host measured it. */
export type GuestUsage = Pick<Usage, "cpuMs" | "peakMemoryBytes" | "outputBytes">;

/**
 * A call as the guest made it, checked for form: `argumentsJson` is a JSON object at most 64 levels
 * deep and within the size limit. What it means, and whether it is granted, is for the host to say.
 */
export interface GuestToolCall {
  readonly type: "tool_call";
  /** Number of the call in this guest, rising from 1; `deliver` names it. */
  readonly call: number;
  /** The call's place in the program. */
  readonly callKey: string;
  readonly tool: string;
  readonly argumentsJson: string;
}

/**
 * What comes out of a guest, in order. `started` comes first, when there is a guest that will get the
 * program with the next read; until then nothing has run. `ended` comes once and last.
 */
export type GuestEvent =
  | { readonly type: "started" }
  | { readonly type: "output"; readonly channel: Channel; readonly text: string }
  | GuestToolCall
  | { readonly type: "ended"; readonly result: ProgramResult; readonly usage: GuestUsage };

/** The answer to a guest's call number `call`. */
export type GuestToolResult =
  | { readonly call: number; readonly resultJson: string }
  | { readonly call: number; readonly error: Extract<ToolResult, { error: unknown }>["error"] };

/**
 * One run of one program. Iterating reads its events; a reader that stops reading slows the guest,
 * `return()` kills it. When the run's signal aborts, the guest is killed at once and `ended` follows
 * with the failure that `signal.reason` (a `Stop`) says.
 */
export interface GuestRun extends AsyncIterable<GuestEvent, void, undefined> {
  /**
   * Hands an answer to the guest; without effect for a call that is not open, and after the end. An
   * answer's JSON text is trusted.
   */
  deliver(result: GuestToolResult): void;
}

/** State of an executor's engine. */
export interface ExecutorInfo extends EngineInfo {
  /**
   * It is down, was up before and is being started again: whoever comes back later may find it up.
   * Default false: nothing brings it up.
   */
  readonly isRestarting?: boolean | undefined;
}

/** Runs programs of some languages, each in a guest of its own that is discarded afterwards. */
export interface Executor extends AsyncDisposable {
  /** State of the engine, with the isolation that its probes proved. */
  info(): ExecutorInfo;
  /**
   * Runs a program. The signal is the only deadline. Reading throws before `started` when no guest can
   * be had (a CodemodeError `unavailable`) or the signal aborts; the program did not start then.
   */
  run(program: Program, signal: AbortSignal): GuestRun;
}
