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
  if (typeof error === "object" && error !== null && !(error instanceof Error)) {
    return toolFailure("exception", describeObject(error), textOf(error, "name"));
  }
  if (!(error instanceof Error)) return toolFailure("exception", String(error));
  const { name, message } = error;
  // A class that sets no `name` has the one that it was declared under.
  const type = String(name === "Error" || name === "" ? (error.constructor?.name ?? "") : name);
  return toolFailure("exception", String(message) || type, type);
}

/** What an object that is no error says of itself, as "name: message (code 7, status 404)". */
function describeObject(thrown: object): string {
  const said = ["code", "status"].map((key) => [key, textOf(thrown, key)] as const);
  const rest = said.flatMap(([key, text]) => (text === "" ? [] : [`${key} ${text}`])).join(", ");
  const head = [textOf(thrown, "name"), textOf(thrown, "message")].filter(Boolean).join(": ");
  return (head === "" || rest === "" ? head || rest : `${head} (${rest})`) || indescribable;
}

/** A member that is text or a number, as text; empty for any other. */
function textOf(thrown: object, key: string): string {
  const value: unknown = (thrown as Record<string, unknown>)[key];
  return ["string", "number", "bigint"].includes(typeof value) ? String(value) : "";
}
