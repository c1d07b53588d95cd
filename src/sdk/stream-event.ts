import type { ExecutionEvent as ExecutionEventMessage } from "../../gen/es/codemode/v1/execution_pb.ts";
import type { ExecutionEvent } from "../shared/model.ts";
import { fromEventMessage } from "../shared/wire/event.ts";
import { fromTime } from "../shared/wire/time.ts";

/** An event that a newer server sent and this version has no type for; safe to skip. */
export interface UnknownEvent {
  readonly type: "unknown";
  readonly sequence: number;
  readonly time: Date;
  readonly attempt: number;
}

/** What an `Execution` yields: look at `type`. Numbered by `sequence`; `finished` is last. */
export type StreamEvent = ExecutionEvent | UnknownEvent;

/** A message to an event. */
export function toStreamEvent(message: ExecutionEventMessage): StreamEvent {
  return (
    fromEventMessage(message) ?? {
      type: "unknown",
      sequence: Number(message.sequence),
      time: fromTime(message.time) ?? new Date(0),
      attempt: message.attempt,
    }
  );
}

const smallBytes = 64 * 1024;

/** The event as a reader that asked for small payloads sees it. */
export function withSmallPayload(event: StreamEvent): StreamEvent {
  const isLarge = (text: string) => Buffer.byteLength(text) > smallBytes;
  if (event.type === "tool_call")
    return isLarge(event.argumentsJson) ? withoutPayload(event) : event;
  if (event.type !== "tool_result" || !("resultJson" in event)) return event;
  return isLarge(event.resultJson) ? withoutPayload(event) : event;
}

/** The event with a tool's payload left out, and the mark that says so. */
export function withoutPayload(event: StreamEvent): StreamEvent {
  if (event.type === "tool_call") return { ...event, argumentsJson: "", argumentsOmitted: true };
  if (event.type !== "tool_result" || !("resultJson" in event)) return event;
  return { ...event, resultJson: "", resultOmitted: true };
}
