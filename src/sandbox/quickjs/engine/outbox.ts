import { callFrame, outputFrames, resultFrame } from "./guest-frames.ts";
import type { RunControl } from "./run-control.ts";
import { killed, RunStop } from "./run-end.ts";

const fullBytes = 32 * 1024;
const patienceMs = 5;
const nothing = new Uint8Array();

/** Options of an `Outbox`. */
export interface OutboxOptions {
  readonly control: RunControl;
  readonly outputBytes: number;
  /** Hands bytes on; they are the receiver's then. */
  readonly post: (bytes: Uint8Array<ArrayBuffer>) => void;
}

/**
 * What a guest says, as frames, in its order. What comes in quick succession leaves together, whatever
 * it is, so that nobody floods those who hand it on; nothing leaves beyond the run's credit: the thread
 * waits then, until more is given or the run is killed.
 */
export class Outbox {
  readonly #control: RunControl;
  readonly #post: OutboxOptions["post"];
  #left: number;
  /** Output of one channel that is no frame yet. */
  #channel = 0;
  #output: Uint8Array[] = [];
  #frames: Uint8Array[] = [];
  #pendingBytes = 0;
  #pendingSince = 0;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor({ control, outputBytes, post }: OutboxOptions) {
    this.#control = control;
    this.#post = post;
    this.#left = outputBytes;
  }

  /** Takes output. Beyond the limit one byte is sent, by which the host knows, and the run ends. */
  write(channel: number, data: Uint8Array): void {
    if (channel !== this.#channel) this.#endOutput();
    this.#channel = channel;
    const isOver = data.length > this.#left;
    const taken = isOver ? data.subarray(0, this.#left + 1) : data;
    this.#left -= taken.length;
    this.#output.push(taken);
    this.#added(taken.length);
    if (!isOver) return;
    this.flush();
    throw new RunStop({ cause: "exited", detail: "over its output limit" });
  }

  /** Takes a call of a tool. */
  call(header: { seq: number; key: string; tool: string }, argumentsJson: Uint8Array): void {
    this.#endOutput();
    const frame = callFrame(header, argumentsJson);
    this.#frames.push(frame);
    this.#added(frame.length);
  }

  /** Sends the program's end, after all that is pending. */
  result(header: object, json: Uint8Array = nothing): void {
    this.#endOutput();
    const frame = resultFrame(header, json);
    this.#frames.push(frame);
    this.#pendingBytes += frame.length;
    this.flush();
  }

  /** Sends what has waited for long enough. */
  flushLate(now: number): void {
    if (this.#pendingBytes > 0 && now - this.#pendingSince > patienceMs) this.flush(now);
  }

  /** Sends what is pending. */
  flush(now = performance.now()): void {
    if (this.#pendingBytes === 0) return;
    this.#endOutput();
    const bytes = Buffer.concat(this.#frames);
    this.#frames = [];
    this.#pendingBytes = 0;
    this.#sentAt = now;
    this.#send(bytes);
  }

  #added(bytes: number): void {
    const now = performance.now();
    if (this.#pendingBytes === 0) this.#pendingSince = now;
    this.#pendingBytes += bytes;
    const isFirst = now - this.#sentAt > patienceMs;
    if (isFirst || this.#pendingBytes >= fullBytes) this.flush(now);
    else this.flushLate(now);
  }

  #endOutput(): void {
    if (this.#output.length === 0) return;
    for (const frame of outputFrames(this.#channel, Buffer.concat(this.#output))) {
      this.#frames.push(frame);
    }
    this.#output = [];
  }

  #send(frames: Uint8Array): void {
    let rest = frames;
    while (rest.length > 0) {
      const taken = this.#control.take(rest.length);
      if (taken === 0) throw new RunStop(killed);
      this.#post(new Uint8Array(rest.subarray(0, taken)));
      rest = rest.subarray(taken);
    }
  }
}
