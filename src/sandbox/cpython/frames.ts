import { z } from "zod";
import type { ProgramResult } from "../../shared/model.ts";
import type { GuestFrame, GuestProgram } from "../sandbox.ts";

// Frames: u32 length (little-endian), u8 type, payload. The guest's side is guest/frames.py.
const headerBytes = 5;
const types = { ready: 1, stdout: 2, stderr: 3, result: 4, program: 17 } as const;

const maxOutputFrameBytes = 64 * 1024;
const maxReadyFrameBytes = 4 * 1024;
// A result's header: text of 256 KiB and traceback of 32 KiB, as JSON escapes at its longest.
const maxResultHeaderBytes = 2 * 1024 * 1024;
const maxCpuGraceSeconds = 2;

/** A guest broke the protocol. It is killed. */
export class FrameFault extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "FrameFault";
  }
}

/** A guest's first frame: it is locked and waits, or could not be locked. */
export interface Ready {
  readonly pid: number;
  readonly token: string;
  /** CPU time that locking took, milliseconds. */
  readonly cpuMs?: number | undefined;
  /** Why it could not be locked. */
  readonly fault?: string | undefined;
}

/** A frame as it came, its length within the cap of its type. */
export interface RawFrame {
  readonly type: number;
  readonly payload: Buffer;
}

/** Cuts a byte stream into frames; a frame of an unknown type or over its cap is a FrameFault. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  #needed = headerBytes;
  readonly #maxResultBytes: () => number;

  constructor(maxResultBytes: () => number) {
    this.#maxResultBytes = maxResultBytes;
  }

  /** The frames that `chunk` completes. The length is checked before the payload is waited for. */
  push(chunk: Buffer): RawFrame[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: RawFrame[] = [];
    if (this.#size < this.#needed) return frames;
    let buffer = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#size);
    for (;;) {
      this.#needed = headerBytes;
      if (buffer.length < headerBytes) break;
      const length = buffer.readUInt32LE(0);
      const type = buffer.readUInt8(4);
      this.#check(type, length);
      this.#needed = headerBytes + length;
      if (buffer.length < this.#needed) break;
      frames.push({ type, payload: buffer.subarray(headerBytes, this.#needed) });
      buffer = buffer.subarray(this.#needed);
    }
    this.#chunks = buffer.length > 0 ? [buffer] : [];
    this.#size = buffer.length;
    return frames;
  }

  #check(type: number, length: number): void {
    const cap = this.#cap(type);
    if (cap === undefined) throw new FrameFault(`frame of unknown type ${type}`);
    if (length > cap) throw new FrameFault(`frame of ${length} bytes, at most ${cap}`);
  }

  #cap(type: number): number | undefined {
    switch (type) {
      case types.ready:
        return maxReadyFrameBytes;
      case types.stdout:
      case types.stderr:
        return maxOutputFrameBytes;
      case types.result:
        return this.#maxResultBytes() + maxResultHeaderBytes;
      default:
        return undefined;
    }
  }
}

const readySchema = z.object({
  pid: z.int().positive(),
  token: z.string(),
  cpuMs: z.number().optional(),
  fault: z.string().optional(),
});

const text = (maxBytes: number) => z.string().max(maxBytes);

const resultSchema = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("completed"),
    text: text(256 * 1024),
    type: text(256),
    hasJson: z.boolean(),
  }),
  z.object({
    status: z.literal("failed"),
    // The only reasons that are a guest's to give.
    reason: z.enum(["exception", "syntax", "memory"]),
    type: text(256),
    message: text(8 * 1024),
    traceback: text(32 * 1024),
    line: z
      .int()
      .min(0)
      .max(2 ** 31),
  }),
]);

/** Reads a guest's first frame. */
export function readReady({ type, payload }: RawFrame): Ready {
  if (type !== types.ready) throw new FrameFault(`first frame of type ${type}`);
  return parseJsonFrame(readySchema, payload);
}

/** Reads a frame of a running guest; `isJson` checks the text of a result before it is believed. */
export function readGuestFrame(frame: RawFrame, isJson: (text: string) => boolean): GuestFrame {
  switch (frame.type) {
    case types.stdout:
    case types.stderr: {
      const channel = frame.type === types.stdout ? "stdout" : "stderr";
      const { payload } = frame;
      return { type: "output", channel, chunks: [payload], byteLength: payload.length };
    }
    case types.result:
      return { type: "result", result: readResult(frame.payload, isJson) };
    default:
      throw new FrameFault(`frame of type ${frame.type} from a running guest`);
  }
}

function readResult(payload: Buffer, isJson: (text: string) => boolean): ProgramResult {
  const end = payload.indexOf(0x0a);
  if (end < 0 || end > maxResultHeaderBytes) throw new FrameFault("result without a header");
  const header = parseJsonFrame(resultSchema, payload.subarray(0, end));
  if (header.status === "failed") {
    const { reason, type, message, traceback, line } = header;
    return { status: "failed", error: { reason, type, message, traceback, line } };
  }
  const json = header.hasJson ? payload.toString("utf8", end + 1) : undefined;
  if (json !== undefined && !isJson(json)) throw new FrameFault("result that is not JSON");
  return { status: "completed", value: { json, text: header.text, type: header.type } };
}

function parseJsonFrame<T>(schema: z.ZodType<T>, payload: Buffer): T {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString("utf8"));
  } catch (error) {
    throw new FrameFault("frame that is not JSON", error);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new FrameFault("frame of a wrong form");
  return parsed.data;
}

/** The fixed-size frame of numeric limits that a guest reads first; guest/frames.py LIMITS. */
export function limitsFrame(program: GuestProgram): Buffer {
  const cpuSeconds = Math.ceil(program.activeMs / 1000) + maxCpuGraceSeconds;
  const fields = [program.memoryBytes, cpuSeconds, program.resultBytes, program.threads];
  const frame = Buffer.alloc(8 * 8);
  for (const [index, field] of fields.entries()) frame.writeBigUInt64LE(BigInt(field), index * 8);
  frame.writeBigUInt64LE(program.seed, fields.length * 8);
  return frame;
}

/** The frame that holds the program. */
export function programFrame(program: GuestProgram): Buffer {
  const payload = Buffer.from(program.text, "utf8");
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(payload.length, 0);
  header.writeUInt8(types.program, 4);
  return Buffer.concat([header, payload]);
}
