import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ExecutionRequestSchema } from "../../gen/es/codemode/v1/execution_pb.ts";
import type { Execution, ExecutionEvent, ToolAnswer, ToolCall } from "../../src/shared/model.ts";
import { toLimitsMessage } from "../../src/shared/wire/limits.ts";
import { toDuration } from "../../src/shared/wire/time.ts";
import type { Act } from "./acts.ts";
import { callsTools, limitsOf, sourceOf } from "./programs.ts";
import { callerTools } from "./tools.ts";

/** A request as the wire has it. */
export type RequestMessage = MessageInitShape<typeof ExecutionRequestSchema>;

/** One stream of one log. */
export interface Reading {
  /** To `finished`. Throws what connect throws. */
  readonly events: AsyncIterable<ExecutionEvent>;
  /** Where the log stood; undefined for one that was not attached. */
  readonly attached:
    | { readonly lastSequence: number; readonly openCalls: readonly ToolCall[] }
    | undefined;
  /** Answers a call on the way that the road has. */
  answer(executionId: string, callId: string, answer: ToolAnswer): Promise<void>;
  /** Resets the stream. */
  drop(): void;
}

/** What a unary call gave. */
export interface UnaryResult {
  readonly execution: Execution;
  readonly stdout: string;
  readonly stdoutOmittedBytes: number;
}

/** A client without retries, over a connection that can be cut. */
export interface Peer extends AsyncDisposable {
  execute(request: RequestMessage, timeoutMs: number | undefined): Promise<UnaryResult>;
  start(
    request: RequestMessage,
    options: { readonly isInteractive: boolean; readonly timeoutMs: number | undefined },
  ): Reading;
  attach(
    executionId: string,
    options: { readonly afterSequence: number; readonly answerTools: boolean },
  ): Promise<Reading>;
  /** Loses the connection, and all calls on it. */
  cut(): void;
  /** Nothing comes through until disposal. */
  stall(): Disposable;
  /** Resolves when the service has all that was sent over this connection; rejects when it broke. */
  knock(): Promise<unknown>;
  /** When the connection was lost last, on the wall clock; 0 for never. */
  readonly cutAt: number;
}

// A client that is busy hears late that its connection is gone, and begins calls on it.
const noticeMs = 2_000;

/** Whether the connection was lost under a call that began at a time, or right before it. */
export function wasCut({ cutAt }: Peer, startedAt: number): boolean {
  return cutAt > startedAt - noticeMs;
}

/** The service's tools that every program calls. */
export const serviceName = "ledger";

/** The request of an act. */
export function requestOf(act: Act, tenant: string): RequestMessage {
  const { program, token, keepMs, requestId } = act;
  const tools = callsTools(program) ? callerTools.map((name) => ({ name })) : [];
  return {
    code: sourceOf(program),
    language: program.language,
    context: { token, tenant },
    limits: toLimitsMessage(limitsOf(program)),
    tools,
    toolServices: [serviceName],
    keepWithoutReader: toDuration(keepMs),
    requestId,
    correlationId: token,
  };
}
