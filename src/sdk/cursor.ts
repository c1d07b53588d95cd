import type { Attached } from "../shared/model.ts";
import type { StreamEvent } from "./stream-event.ts";

/** From where a log is followed. */
export interface CursorStart {
  readonly executionId?: string | undefined;
  /** Last sequence that was seen. */
  readonly afterSequence: number;
  /** This reader answers the caller's calls, or started the execution. */
  readonly isHost: boolean;
}

/** How far a log was read over all its connections, so that each event is given once. */
export class LogCursor {
  #executionId: string | undefined;
  #sequence: number;
  #isHost: boolean;
  /** Where the log stood then. Changes of the tool host up to here are past, or this reader's own doing. */
  #attachedAt: number | undefined;
  /** The output that was read last without another event in between: its first sequence, its bytes. */
  #run: { readonly from: number; bytes: number } | undefined;
  #outputBytes = 0;

  constructor({ executionId, afterSequence, isHost }: CursorStart) {
    this.#executionId = executionId;
    this.#sequence = afterSequence;
    this.#isHost = isHost;
  }

  /** Known from `started` on at the latest. */
  get executionId(): string | undefined {
    return this.#executionId;
  }

  /** Last sequence that was read; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** This reader is the tool host: no other one has taken over. */
  get isHost(): boolean {
    return this.#isHost;
  }

  /** Output that was read, or marked as not kept, bytes. */
  get outputBytes(): number {
    return this.#outputBytes;
  }

  /** Everything was read that the log held when it was last attached to. */
  get hasAll(): boolean {
    return this.#attachedAt !== undefined && this.#sequence >= this.#attachedAt;
  }

  /** The execution is known before its first event. */
  found(executionId: string): void {
    this.#executionId = executionId;
  }

  /** The log was attached to, as tool host where this reader is to be it. */
  attach({ lastSequence }: Attached): void {
    this.#attachedAt = lastSequence;
  }

  /** The event as it is to be given; undefined for what was given before. */
  take(event: StreamEvent): StreamEvent | undefined {
    const after = this.#sequence;
    if (event.sequence <= after) return undefined;
    this.#sequence = event.sequence;
    if (event.type === "started") this.#executionId = event.executionId;
    this.#noteHost(event);
    const given = event.type === "trimmed" ? this.#rest(event, after) : event;
    this.#noteOutput(event);
    if (given.type === "output") this.#outputBytes += Buffer.byteLength(given.text);
    if (given.type === "trimmed") this.#outputBytes += given.omittedBytes;
    return given;
  }

  /** The part of a mark that was not read when it was still output. */
  #rest(mark: Extract<StreamEvent, { type: "trimmed" }>, after: number): StreamEvent {
    if (mark.firstSequence > after) return mark;
    const seen = this.#run?.from === mark.firstSequence ? this.#run.bytes : 0;
    const omittedBytes = Math.max(0, mark.omittedBytes - seen);
    return { ...mark, firstSequence: after + 1, omittedBytes };
  }

  #noteOutput(event: StreamEvent): void {
    if (event.type === "trimmed") {
      this.#run = { from: event.firstSequence, bytes: event.omittedBytes };
      return;
    }
    if (event.type !== "output") {
      this.#run = undefined;
      return;
    }
    this.#run ??= { from: event.sequence, bytes: 0 };
    this.#run.bytes += Buffer.byteLength(event.text);
  }

  #noteHost({ type, sequence }: StreamEvent): void {
    if (type === "tool_host_changed" && sequence > (this.#attachedAt ?? 0)) this.#isHost = false;
  }
}
