import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type AttachExecutionResponseSchema,
  type Attached as AttachedMessage,
  AttachedSchema,
} from "../../../gen/es/codemode/v1/executor_pb.ts";
import {
  type ToolCall as ToolCallMessage,
  ToolCallSchema,
} from "../../../gen/es/codemode/v1/tool_pb.ts";
import type { Attached } from "../model.ts";
import { fromToolCallMessage, toToolCallMessage } from "./tool.ts";

// Many gRPC clients take messages of 4 MiB.
const maxMessageBytes = 3 * 1024 * 1024;

type Response = MessageInitShape<typeof AttachExecutionResponseSchema>;

/** Where a log stood, as the messages that begin an attachment: open calls that have no room follow the first. */
export function toAttachedMessages({ lastSequence, openCalls }: Attached): Response[] {
  const [first = [], ...rest] = inMessages(openCalls.map(toToolCallMessage));
  const attached = create(AttachedSchema, {
    lastSequence: BigInt(lastSequence),
    openCalls: first,
    openCallCount: openCalls.length,
  });
  return [{ attached }, ...rest.map((calls) => ({ openCalls: calls }))];
}

/** Calls in as few messages as hold them, in their order; a call that is too large alone is alone in one. */
function inMessages(calls: readonly ToolCallMessage[]): ToolCallMessage[][] {
  const messages: ToolCallMessage[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const call of calls) {
    const own = toBinary(ToolCallSchema, call).length;
    bytes += own;
    if (bytes <= maxMessageBytes) messages.at(-1)?.push(call);
    else {
      messages.push([call]);
      bytes = own;
    }
  }
  return messages;
}

/** A message to where a log stood. */
export function fromAttachedMessage(message: AttachedMessage): Attached {
  return {
    lastSequence: Number(message.lastSequence),
    openCalls: message.openCalls.map(fromToolCallMessage),
  };
}
