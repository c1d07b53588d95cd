import type { ExecutionEvent } from "../shared/model.ts";
import { type StreamEvent, withoutPayload } from "./stream-event.ts";

/** How much a backlog keeps. */
export interface BacklogLimits {
  /** Bytes of output and of tools' payloads. */
  readonly maxBytes: number;
  readonly maxEvents: number;
}

/** For a reader that may never come. */
export const smallBacklog: BacklogLimits = { maxBytes: 1024 * 1024, maxEvents: 1024 };
/** For a reader that is slower than the reading must be: more than the default limit of output. */
export const largeBacklog: BacklogLimits = { maxBytes: 16 * 1024 * 1024, maxEvents: 65_536 };

/**
 * Events that were read and not yet taken. Beyond its limits the oldest output goes, and a `trimmed`
 * event stands in its place; then the payloads of tools' events are left out, the oldest first.
 * Nothing else is ever dropped.
 */
export class Backlog {
  #items: StreamEvent[] = [];
  #bytes = 0;

  push(event: StreamEvent, { maxBytes, maxEvents } = smallBacklog): void {
    this.#items.push(event);
    this.#bytes += bytesOf(event);
    while (this.#bytes > maxBytes || this.#items.length > maxEvents) {
      if (!this.#dropOldestOutput() && !this.#omitOldestPayload()) return;
    }
  }

  shift(): StreamEvent | undefined {
    const event = this.#items.shift();
    if (event !== undefined) this.#bytes -= bytesOf(event);
    return event;
  }

  clear(): void {
    this.#items = [];
    this.#bytes = 0;
  }

  #dropOldestOutput(): boolean {
    const index = this.#items.findIndex((item) => item.type === "output");
    const oldest = this.#items[index];
    if (oldest === undefined) return false;
    const omittedBytes = bytesOf(oldest);
    this.#bytes -= omittedBytes;
    const { sequence, time, attempt } = oldest;
    const before = this.#items[index - 1];
    if (before?.type === "trimmed") {
      const total = before.omittedBytes + omittedBytes;
      this.#items.splice(index - 1, 2, { ...before, sequence, time, attempt, omittedBytes: total });
    } else {
      const firstSequence = sequence;
      const mark: ExecutionEvent = {
        type: "trimmed",
        sequence,
        time,
        attempt,
        firstSequence,
        omittedBytes,
      };
      this.#items[index] = mark;
    }
    return true;
  }

  #omitOldestPayload(): boolean {
    const index = this.#items.findIndex((item) => bytesOf(item) > 0);
    const oldest = this.#items[index];
    if (oldest === undefined) return false;
    this.#bytes -= bytesOf(oldest);
    this.#items[index] = withoutPayload(oldest);
    return true;
  }
}

function bytesOf(event: StreamEvent): number {
  switch (event.type) {
    case "output":
      return Buffer.byteLength(event.text);
    case "tool_call":
      return Buffer.byteLength(event.argumentsJson);
    case "tool_result":
      return "resultJson" in event ? Buffer.byteLength(event.resultJson) : 0;
    default:
      return 0;
  }
}
