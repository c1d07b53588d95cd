import { create } from "@bufbuild/protobuf";
import {
  type Execution as ExecutionMessage,
  ExecutionSchema,
} from "../../../gen/es/codemode/v1/execution_pb.ts";
import type { Execution } from "../model.ts";
import { states } from "./enums.ts";
import { fromOutcomeMessage, toOutcomeMessage } from "./outcome.ts";
import { fromTime, optional, toTime } from "./time.ts";

/** An execution to its message. */
export function toExecutionMessage(execution: Execution): ExecutionMessage {
  const { executionId, correlationId, instanceId, language, requestId, outcome } = execution;
  return create(ExecutionSchema, {
    executionId,
    state: states.toWire(execution.state),
    ...(outcome === undefined ? {} : { outcome: toOutcomeMessage(outcome) }),
    correlationId,
    instanceId,
    language,
    requestId,
    lastSequence: BigInt(execution.lastSequence),
    ...optional("createTime", toTime(execution.createTime)),
    ...optional("startTime", toTime(execution.startTime)),
    ...optional("endTime", toTime(execution.endTime)),
  });
}

/** A message to an execution. */
export function fromExecutionMessage(message: ExecutionMessage): Execution {
  const { executionId, correlationId, instanceId, language, requestId, outcome } = message;
  return {
    executionId,
    state: states.fromWire(message.state) ?? "queued",
    outcome: outcome && fromOutcomeMessage(outcome),
    correlationId,
    instanceId,
    language,
    requestId,
    lastSequence: Number(message.lastSequence),
    createTime: fromTime(message.createTime) ?? new Date(0),
    startTime: fromTime(message.startTime),
    endTime: fromTime(message.endTime),
  };
}
