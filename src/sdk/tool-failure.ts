import { CappedText } from "../shared/capped-text.ts";
import type { ToolFailure } from "../shared/model.ts";

const maxMessageBytes = 8192;
const maxTypeLength = 128;

/** A failure whose message fits the wire. */
export function toolFailure(kind: ToolFailure["kind"], message: string, type = ""): ToolFailure {
  const text = new CappedText(maxMessageBytes);
  text.append(message.toWellFormed());
  return { kind, type: type.toWellFormed().slice(0, maxTypeLength), message: text.toString() };
}

/** What a handler threw: its message and type, never its stack or its causes. Never throws. */
export function thrownFailure(error: unknown): ToolFailure {
  try {
    return describedFailure(error);
  } catch {
    // Getters and proxies are the application's code, and may fail in their turn.
    return toolFailure("exception", indescribable);
  }
}

const indescribable = "the tool threw something that is no error";

function describedFailure(error: unknown): ToolFailure {
  if (!(error instanceof Error)) return toolFailure("exception", describeThrown(error));
  const { name, message } = error;
  // A class that sets no `name` has the one that it was declared under.
  const type = name === "Error" || name === "" ? (error.constructor?.name ?? "") : name;
  return toolFailure("exception", String(message), String(type));
}

function describeThrown(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  return "message" in value && typeof value.message === "string" ? value.message : indescribable;
}
