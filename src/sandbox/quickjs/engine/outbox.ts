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
 * What a guest says, as frames, in its order. Output that comes in quick succession leaves together;
 * nothing leaves beyond the run's credit: the thread waits then, until more is given or the run is killed.
 */
export class Outbox {
  readonly #control: RunControl;
  readonly #post: OutboxOptions["post"];
  #left: number;
  #channel = 0;
  #pending: Uint8Array[] = [];
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
    if (channel !== this.#channel) this.flush();
    this.#channel = channel;
    const isOver = data.length > this.#left;
    const taken = isOver ? data.subarray(0, this.#left + 1) : data;
    this.#left -= taken.length;
    const now = performance.now();
    if (this.#pendingBytes === 0) this.#pendingSince = now;
    this.#pending.push(taken);
    this.#pendingBytes += taken.length;
    const isFirst = now - this.#sentAt > patienceMs;
    if (isOver || isFirst || this.#pendingBytes >= fullBytes) this.flush(now);
    else this.flushLate(now);
    if (isOver) throw new RunStop({ cause: "exited", detail: "over its output limit" });
  }

  /** Sends output that has waited for long enough. */
  flushLate(now: number): void {
    if (this.#pendingBytes > 0 && now - this.#pendingSince > patienceMs) this.flush(now);
  }

  /** Sends what is pending. */
  flush(now = performance.now()): void {
    if (this.#pendingBytes === 0) return;
    const frames = outputFrames(this.#channel, Buffer.concat(this.#pending));
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#sentAt = now;
    for (const frame of frames) this.#send(frame);
  }

  call(header: { seq: number; key: string; tool: string }, argumentsJson: Uint8Array): void {
    this.flush();
    this.#send(callFrame(header, argumentsJson));
  }

  result(header: object, json: Uint8Array = nothing): void {
    this.flush();
    this.#send(resultFrame(header, json));
  }

  #send(frame: Uint8Array): void {
    let rest = frame;
    while (rest.length > 0) {
      const taken = this.#control.take(rest.length);
      if (taken === 0) throw new RunStop(killed);
      this.#post(new Uint8Array(rest.subarray(0, taken)));
      rest = rest.subarray(taken);
    }
  }
}
