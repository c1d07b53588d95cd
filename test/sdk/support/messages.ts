import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ExecutionEventSchema } from "../../../gen/es/codemode/v1/execution_pb.ts";
import type {
  ExecuteResponseSchema,
  ExecuteStreamResponseSchema,
} from "../../../gen/es/codemode/v1/executor_pb.ts";
import type { EventBody, Outcome, ProgramResult, ToolResult } from "../../../src/shared/model.ts";
import { toEventMessage } from "../../../src/shared/wire/event.ts";
import { toOutcomeMessage } from "../../../src/shared/wire/outcome.ts";

export const executionId = "i1-e1";

/** An outcome with this result and a usage that tests can recognise. */
export function outcomeOf(result: ProgramResult): Outcome {
  return {
    ...result,
    usage: { wallMs: 12, cpuMs: 3, peakMemoryBytes: 4096, outputBytes: 5, toolCalls: 0 },
    isolationTier: "T2",
    engine: "scripted",
    warnings: [],
  };
}

export function success(json: string | undefined, text = json ?? "", type = "int"): ProgramResult {
  return { status: "completed", value: { json, text, type, conversions: [], notes: [] } };
}

export function failure(reason: "exception" | "cancelled", message: string): ProgramResult {
  return { status: "failed", error: { reason, type: "", message, traceback: "", line: 0 } };
}

/** A unary answer. */
export function answer(
  result: ProgramResult,
  correlationId = "",
): MessageInitShape<typeof ExecuteResponseSchema> {
  return {
    execution: { executionId, correlationId, outcome: toOutcomeMessage(outcomeOf(result)) },
    stdout: "out\n",
    stderr: "err\n",
    stdoutOmittedBytes: 7n,
  };
}

/** Fits the responses of both streams. */
type StreamMessage = Pick<MessageInitShape<typeof ExecuteStreamResponseSchema>, "event">;

/** Numbers events as a log does. */
export function createLog(correlationId = "", id = executionId) {
  let sequence = 0;
  const number = (body: EventBody): StreamMessage => {
    sequence += 1;
    return { event: toEventMessage({ ...body, sequence, time: new Date(0), attempt: 1 }) };
  };
  return {
    started: () =>
      number({
        type: "started",
        seed: 1n,
        engine: "scripted",
        instanceId: "i1",
        executionId: id,
        correlationId,
        language: "python",
        isolationTier: "T2",
      }),
    output: (text: string, channel: "stdout" | "stderr" = "stdout") =>
      number({ type: "output", channel, text }),
    toolCall: (callId: string, tool: string, argumentsJson = "{}") =>
      number({ type: "tool_call", callId, callKey: `/${callId}`, tool, argumentsJson }),
    toolResult: (result: ToolResult) => number({ type: "tool_result", ...result }),
    finished: (result: ProgramResult) => number({ type: "finished", outcome: outcomeOf(result) }),
    /** An event whose arm only a newer version knows. */
    unknown: (): StreamMessage => {
      sequence += 1;
      const event: MessageInitShape<typeof ExecutionEventSchema> = { sequence: BigInt(sequence) };
      return { event };
    },
  };
}
