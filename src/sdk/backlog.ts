import type { ExecutionEvent } from "../shared/model.ts";
import type { StreamEvent } from "./stream-event.ts";

const maxBytes = 1024 * 1024;
const maxEvents = 1024;

/**
 * Events that were read and not yet taken: at most 1 MiB of output and 1,024 events. Beyond that the
 * oldest output goes, and a `trimmed` event stands in its place; nothing else is ever dropped.
 */
export class Backlog {
  #items: StreamEvent[] = [];
  #bytes = 0;

  push(event: StreamEvent): void {
    this.#items.push(event);
    this.#bytes += outputBytes(event);
    while (this.#bytes > maxBytes || this.#items.length > maxEvents) {
      if (!this.#dropOldestOutput()) return;
    }
  }

  shift(): StreamEvent | undefined {
    const event = this.#items.shift();
    if (event !== undefined) this.#bytes -= outputBytes(event);
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
    const omittedBytes = outputBytes(oldest);
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
}

function outputBytes(event: StreamEvent): number {
  return event.type === "output" ? Buffer.byteLength(event.text) : 0;
}
