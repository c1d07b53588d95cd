import { ToolPayloads } from "../../gen/es/codemode/v1/tool_pb.ts";
import type { ExecutionEvent, ToolDeclaration } from "../shared/model.ts";

const smallBytes = 64 * 1024;

/** An event as a stream is to see it. */
export type EventView = (event: ExecutionEvent) => ExecutionEvent;

/**
 * The view of a stream that asks for `payloads`. Arguments of the tools in `own` are never left out:
 * this stream's caller has to answer their calls, and cannot without them.
 */
export function eventView(payloads: ToolPayloads, own: readonly ToolDeclaration[]): EventView {
  if (payloads !== ToolPayloads.SMALL) return (event) => event;
  const answered = new Set(own.map(({ name }) => name));
  return (event) => {
    if (event.type === "tool_call" && !answered.has(event.tool) && isLarge(event.argumentsJson)) {
      return { ...event, argumentsJson: "", argumentsOmitted: true };
    }
    if (event.type === "tool_result" && "resultJson" in event && isLarge(event.resultJson)) {
      return { ...event, resultJson: "", resultOmitted: true };
    }
    return event;
  };
}

function isLarge(text: string): boolean {
  return Buffer.byteLength(text) > smallBytes;
}
