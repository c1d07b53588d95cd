import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type ExecutionEvent as ExecutionEventMessage,
  ExecutionEventSchema,
  OutputChannel,
} from "../../../gen/es/codemode/v1/execution_pb.ts";
import type { EventBody, ExecutionEvent } from "../model.ts";
import { tiers, tierToWire } from "./enums.ts";
import { fromOutcomeMessage, toOutcomeMessage } from "./outcome.ts";
import { fromTime } from "./time.ts";
import {
  fromToolCallMessage,
  fromToolResultMessage,
  toToolCallMessage,
  toToolResultMessage,
} from "./tool.ts";

/** A log entry to its message. */
export function toEventMessage(event: ExecutionEvent): ExecutionEventMessage {
  return create(ExecutionEventSchema, {
    sequence: BigInt(event.sequence),
    time: timestampFromDate(event.time),
    attempt: event.attempt,
    event: toEventArm(event),
  });
}

function toEventArm(
  event: EventBody,
): NonNullable<MessageInitShape<typeof ExecutionEventSchema>["event"]> {
  switch (event.type) {
    case "started": {
      const { seed, engine, instanceId, executionId, correlationId, language } = event;
      const isolationTier = tierToWire(event.isolationTier);
      return {
        case: "started",
        value: { seed, engine, instanceId, executionId, correlationId, language, isolationTier },
      };
    }
    case "output": {
      const channel = event.channel === "stdout" ? OutputChannel.STDOUT : OutputChannel.STDERR;
      return { case: "output", value: { channel, text: event.text } };
    }
    case "tool_call":
      return { case: "toolCall", value: toToolCallMessage(event) };
    case "tool_result":
      return { case: "toolResult", value: toToolResultMessage(event) };
    case "finished":
      return { case: "finished", value: { outcome: toOutcomeMessage(event.outcome) } };
    case "trimmed": {
      const { firstSequence, omittedBytes } = event;
      return {
        case: "trimmed",
        value: { firstSequence: BigInt(firstSequence), omittedBytes: BigInt(omittedBytes) },
      };
    }
    case "tool_host_changed":
      return { case: "toolHostChanged", value: { host: event.host } };
  }
}

/** A message to a log entry; undefined when its arm is one that this version does not know. */
export function fromEventMessage(message: ExecutionEventMessage): ExecutionEvent | undefined {
  const body = fromEventArm(message.event);
  return (
    body && {
      ...body,
      sequence: Number(message.sequence),
      time: fromTime(message.time) ?? new Date(0),
      attempt: message.attempt,
    }
  );
}

function fromEventArm(arm: ExecutionEventMessage["event"]): EventBody | undefined {
  switch (arm.case) {
    case "started": {
      const { seed, engine, instanceId, executionId, correlationId, language } = arm.value;
      const isolationTier = tiers.fromWire(arm.value.isolationTier);
      return {
        type: "started",
        seed,
        engine,
        instanceId,
        executionId,
        correlationId,
        language,
        isolationTier,
      };
    }
    case "output": {
      const channel = arm.value.channel === OutputChannel.STDERR ? "stderr" : "stdout";
      return { type: "output", channel, text: arm.value.text };
    }
    case "toolCall":
      return { type: "tool_call", ...fromToolCallMessage(arm.value) };
    case "toolResult": {
      const result = fromToolResultMessage(arm.value);
      return result && { type: "tool_result", ...result };
    }
    case "finished":
      return (
        arm.value.outcome && { type: "finished", outcome: fromOutcomeMessage(arm.value.outcome) }
      );
    case "trimmed": {
      const { firstSequence, omittedBytes } = arm.value;
      return {
        type: "trimmed",
        firstSequence: Number(firstSequence),
        omittedBytes: Number(omittedBytes),
      };
    }
    case "toolHostChanged":
      return { type: "tool_host_changed", host: arm.value.host };
    case undefined:
      return undefined;
  }
}
