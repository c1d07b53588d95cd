import { AsyncQueue } from "../shared/queue.ts";
import {
  answerFrame,
  type FrameCaps,
  FrameFault,
  FrameReader,
  programFrame,
  type RawFrame,
  readGuestFrame,
} from "./frames.ts";
import type { GuestAnswer, GuestFrame, GuestProgram } from "./sandbox.ts";

/** Bytes of frames that wait for the reader before the guest is made to wait. */
const highWaterBytes = 256 * 1024;
const maxEventBytes = 64 * 1024;
/** What a frame costs beside its payload. */
const frameBytes = 256;

/** The way to one guest, as bytes. */
export interface GuestLink {
  /** Without effect when the guest is gone. */
  write(bytes: Buffer): void;
  /** The guest is to wait with what it says, until `resume`. */
  pause(): void;
  resume(): void;
  /** Nothing is said or heard any more. Idempotent. */
  close(): void;
}

/** Options of a `FramePort`. */
export interface FramePortOptions {
  readonly link: GuestLink;
  /** Takes the guest's first frame, where the guest greets before it is given a program. */
  readonly onGreeting?: (frame: RawFrame) => void;
  /** The guest broke the protocol: it is to be killed. */
  readonly onFault: (fault: FrameFault) => void;
}

/** The host's end of one guest's frames: bytes come in, checked frames go out, in order. */
export class FramePort {
  readonly #link: GuestLink;
  readonly #onFault: FramePortOptions["onFault"];
  readonly #frames: AsyncQueue<GuestFrame>;
  readonly #reader = new FrameReader(() => this.#caps);
  #onGreeting: FramePortOptions["onGreeting"];
  #caps: FrameCaps = { resultBytes: 0, toolPayloadBytes: 0 };
  #calls = 0;
  #hasEnding = false;
  #hasResult = false;
  #fault: string | undefined;

  constructor({ link, onGreeting, onFault }: FramePortOptions) {
    this.#link = link;
    this.#onGreeting = onGreeting;
    this.#onFault = onFault;
    this.#frames = new AsyncQueue<GuestFrame>({
      sizeOf,
      merge,
      highWater: highWaterBytes,
      onFull: () => link.pause(),
      onDrain: () => link.resume(),
    });
  }

  /** Frames of the running program; a reader that stops reading makes the guest wait. */
  get frames(): AsyncIterable<GuestFrame> {
    return this.#frames;
  }

  /** How the guest broke the protocol; undefined while it has not. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Hands over a program, after what has to precede it, in one write. */
  start(program: GuestProgram, before: readonly Buffer[] = []): void {
    this.#caps = program;
    this.#link.write(Buffer.concat([...before, programFrame(program)]));
  }

  /** Hands over the answer to a call. */
  answer(answer: GuestAnswer): void {
    this.#link.write(answerFrame(answer));
  }

  /** Takes bytes of the guest's. What follows a result or a fault is ignored. */
  receive(chunk: Buffer): void {
    if (this.#fault !== undefined || this.#hasResult) return;
    try {
      const frames = this.#reader.push(chunk);
      const greeting = this.#onGreeting && frames.shift();
      if (greeting !== undefined) this.#greet(greeting);
      const read = frames.map((raw) => this.#inOrder(readGuestFrame(raw, this.#caps)));
      for (const frame of joined(read)) this.#push(frame);
    } catch (error) {
      if (!(error instanceof FrameFault)) throw error;
      this.#fault = error.message;
      this.#frames.end();
      this.#onFault(error);
    }
  }

  /** The guest says no more: readers get what is waiting, then the end. */
  end(): void {
    this.#frames.end();
  }

  /** Drops what has not been read and closes the link. */
  close(): void {
    void this.#frames.return();
    this.#link.close();
  }

  #greet(frame: RawFrame): void {
    this.#onGreeting?.(frame);
    this.#onGreeting = undefined;
  }

  /** The first result wins, and is the last thing that a guest says. */
  #push(frame: GuestFrame): void {
    if (this.#hasResult) return;
    this.#hasResult = frame.type === "result";
    this.#frames.push(frame);
  }

  #inOrder(frame: GuestFrame): GuestFrame {
    if (frame.type === "ending") {
      if (this.#hasEnding) throw new FrameFault("a second ending");
      this.#hasEnding = true;
    }
    if (frame.type !== "tool_call") return frame;
    this.#calls += 1;
    if (frame.call === this.#calls) return frame;
    throw new FrameFault(`call ${frame.call} where ${this.#calls} was due`);
  }
}

/** What a frame holds of the host's memory, so that no kind of frame can be sent without end. */
function sizeOf(frame: GuestFrame): number {
  switch (frame.type) {
    case "output":
      return frameBytes + frame.byteLength;
    case "tool_call":
      return frameBytes + frame.argumentsJson.length + frame.callKey.length + frame.tool.length;
    case "ending":
    case "result":
      return frameBytes; // each comes once
  }
}

/** Frames that came in one tick, output of one channel as one: one tick is one event. */
function joined(frames: readonly GuestFrame[]): GuestFrame[] {
  const result: GuestFrame[] = [];
  for (const frame of frames) {
    const last = result.at(-1);
    const both = last && merge(last, frame);
    if (both === undefined) result.push(frame);
    else result[result.length - 1] = both;
  }
  return result;
}

/** Output that waits for the reader becomes one event per channel, as long as it is not too long. */
function merge(last: GuestFrame, next: GuestFrame): GuestFrame | undefined {
  if (last.type !== "output" || next.type !== "output") return undefined;
  if (last.channel !== next.channel || last.byteLength >= maxEventBytes) return undefined;
  // The frames are this queue's own: the array grows in place, a copy per frame would be quadratic.
  const chunks = last.chunks as Uint8Array[];
  for (const chunk of next.chunks) chunks.push(chunk);
  return { ...last, byteLength: last.byteLength + next.byteLength };
}
