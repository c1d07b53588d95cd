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

// Below this many taken ones at the head, copying the others costs more than it frees.
const compactAfter = 256;

/**
 * Events that were read and not yet taken. Beyond its limits the oldest output goes, and a `trimmed`
 * event stands in its place; then the payloads of tools' events are left out, the oldest first.
 * Nothing else is ever dropped.
 */
export class Backlog {
  /** Undefined where one was taken, before the head. */
  #items: (StreamEvent | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  // Before these stand no output and no payload: what was looked through is not looked through again.
  #noOutputBefore = 0;
  #noPayloadBefore = 0;

  push(event: StreamEvent, { maxBytes, maxEvents } = smallBacklog): void {
    this.#items.push(event);
    this.#bytes += bytesOf(event);
    while (this.#bytes > maxBytes || this.#items.length - this.#head > maxEvents) {
      if (!this.#dropOldestOutput() && !this.#omitOldestPayload()) return;
    }
  }

  shift(): StreamEvent | undefined {
    const event = this.#items[this.#head];
    if (event === undefined) return undefined;
    this.#bytes -= bytesOf(event);
    this.#leaveHead();
    if (this.#head >= compactAfter && this.#head * 2 >= this.#items.length) this.#compact();
    return event;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#noOutputBefore = 0;
    this.#noPayloadBefore = 0;
  }

  #leaveHead(): void {
    this.#items[this.#head] = undefined;
    this.#head += 1;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head);
    this.#noOutputBefore = Math.max(0, this.#noOutputBefore - this.#head);
    this.#noPayloadBefore = Math.max(0, this.#noPayloadBefore - this.#head);
    this.#head = 0;
  }

  #dropOldestOutput(): boolean {
    const index = this.#find(this.#noOutputBefore, (item) => item.type === "output");
    this.#noOutputBefore = index;
    const oldest = this.#items[index];
    if (oldest === undefined) return false;
    const omittedBytes = bytesOf(oldest);
    this.#bytes -= omittedBytes;
    const { sequence, time, attempt } = oldest;
    const before = this.#items[index - 1];
    if (before?.type === "trimmed") {
      const total = before.omittedBytes + omittedBytes;
      this.#items[index] = { ...before, sequence, time, attempt, omittedBytes: total };
      this.#remove(index - 1);
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

  /** Takes one out by moving the fewer of its neighbours: a full backlog does this for every event. */
  #remove(index: number): void {
    if (index - this.#head < this.#items.length - index) {
      this.#items.copyWithin(this.#head + 1, this.#head, index);
      this.#leaveHead();
      return;
    }
    this.#items.splice(index, 1);
    if (this.#noOutputBefore > index) this.#noOutputBefore -= 1;
    if (this.#noPayloadBefore > index) this.#noPayloadBefore -= 1;
  }

  #omitOldestPayload(): boolean {
    const index = this.#find(this.#noPayloadBefore, (item) => bytesOf(item) > 0);
    this.#noPayloadBefore = index;
    const oldest = this.#items[index];
    if (oldest === undefined) return false;
    this.#bytes -= bytesOf(oldest);
    this.#items[index] = withoutPayload(oldest);
    return true;
  }

  /** The first such item from an index on; the length where there is none. */
  #find(from: number, isWanted: (item: StreamEvent) => boolean): number {
    let index = Math.max(from, this.#head);
    for (let item = this.#items[index]; item !== undefined; item = this.#items[index]) {
      if (isWanted(item)) break;
      index += 1;
    }
    return index;
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
