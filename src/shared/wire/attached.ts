import { create } from "@bufbuild/protobuf";
import {
  type Attached as AttachedMessage,
  AttachedSchema,
} from "../../../gen/es/codemode/v1/executor_pb.ts";
import type { Attached } from "../model.ts";
import { fromToolCallMessage, toToolCallMessage } from "./tool.ts";

/** Where a log stood to its message. */
export function toAttachedMessage({ lastSequence, openCalls }: Attached): AttachedMessage {
  return create(AttachedSchema, {
    lastSequence: BigInt(lastSequence),
    openCalls: openCalls.map(toToolCallMessage),
  });
}

/** A message to where a log stood. */
export function fromAttachedMessage(message: AttachedMessage): Attached {
  return {
    lastSequence: Number(message.lastSequence),
    openCalls: message.openCalls.map(fromToolCallMessage),
  };
}
