import { z } from "zod";
import { checkJson, maxCheckedValues } from "../shared/json.ts";
import type { ProgramResult } from "../shared/model.ts";
import { frameHeaderBytes, frameTypes, toFrame } from "./frame-types.ts";
import type { GuestAnswer, GuestFrame, GuestProgram } from "./sandbox.ts";

const maxOutputFrameBytes = 64 * 1024;
const maxReadyFrameBytes = 4 * 1024;
// A result's header: text of 256 KiB and traceback of 32 KiB, as JSON escapes at its longest.
const maxResultHeaderBytes = 2 * 1024 * 1024;
const maxCallHeaderBytes = 16 * 1024;

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

/** The lengths that a program's limits allow. */
export type FrameCaps = Pick<GuestProgram, "resultBytes" | "toolPayloadBytes">;

/** Cuts a byte stream into frames; a frame of an unknown type or over its cap is a FrameFault. */
export class FrameReader {
  readonly #caps: () => FrameCaps;
  readonly #header = Buffer.alloc(frameHeaderBytes);
  #headerFilled = 0;
  /** Payload of a frame that is not whole yet: one buffer, however small the pieces that it comes in. */
  #payload: Buffer | undefined;
  #payloadFilled = 0;
  #type = 0;
  /** Fed, and not looked at. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(caps: () => FrameCaps) {
    this.#caps = caps;
  }

  /** Takes bytes, of which `next` makes frames. */
  feed(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
  }

  /** The next frame of what was fed; undefined where it is not whole. Its length is checked before its payload is there. */
  next(): RawFrame | undefined {
    while (this.#rest.length > 0) {
      if (this.#payload === undefined) {
        this.#rest = this.#takeHeader(this.#rest);
        if (this.#headerFilled < frameHeaderBytes) return undefined;
        const { type, length } = this.#readHeader();
        const rest = this.#rest;
        if (rest.length >= length) {
          this.#rest = rest.subarray(length);
          return { type, payload: rest.subarray(0, length) };
        }
        this.#type = type;
        this.#payload = Buffer.allocUnsafeSlow(length);
        this.#payloadFilled = 0;
      }
      const payload = this.#payload;
      const taken = this.#rest.copy(payload, this.#payloadFilled);
      this.#payloadFilled += taken;
      this.#rest = this.#rest.subarray(taken);
      if (this.#payloadFilled === payload.length) {
        this.#payload = undefined;
        return { type: this.#type, payload };
      }
    }
    return undefined;
  }

  #takeHeader(chunk: Buffer): Buffer {
    const taken = chunk.copy(this.#header, this.#headerFilled);
    this.#headerFilled += taken;
    return chunk.subarray(taken);
  }

  #readHeader(): { type: number; length: number } {
    this.#headerFilled = 0;
    const length = this.#header.readUInt32LE(0);
    const type = this.#header.readUInt8(4);
    this.#check(type, length);
    return { type, length };
  }

  #check(type: number, length: number): void {
    const cap = this.#cap(type);
    if (cap === undefined) throw new FrameFault(`frame of unknown type ${type}`);
    if (length > cap) throw new FrameFault(`frame of ${length} bytes, at most ${cap}`);
  }

  #cap(type: number): number | undefined {
    switch (type) {
      case frameTypes.ready:
        return maxReadyFrameBytes;
      case frameTypes.stdout:
      case frameTypes.stderr:
        return maxOutputFrameBytes;
      case frameTypes.result:
        return this.#caps().resultBytes + maxResultHeaderBytes;
      case frameTypes.ending:
        return maxResultHeaderBytes;
      case frameTypes.toolCall:
        return this.#caps().toolPayloadBytes + maxCallHeaderBytes;
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

const text = (maxBytes: number) =>
  z
    .string()
    .max(maxBytes)
    .refine((value) => value.isWellFormed());

const resultSchema = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("completed"),
    text: text(256 * 1024),
    type: text(256),
    hasJson: z.boolean(),
    conversions: z
      .array(z.object({ path: text(1024), type: text(256) }))
      .max(200)
      .default([]),
    notes: z.array(text(1024)).max(20).default([]),
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

const callSchema = z.object({
  seq: z.int().positive(),
  key: text(1024),
  tool: text(1024),
});

/** Reads a guest's first frame. */
export function readReady({ type, payload }: RawFrame): Ready {
  if (type !== frameTypes.ready) throw new FrameFault(`first frame of type ${type}`);
  return parseJsonFrame(readySchema, payload);
}

/** Reads a frame of a running guest. */
export function readGuestFrame(frame: RawFrame, caps: FrameCaps): GuestFrame {
  switch (frame.type) {
    case frameTypes.stdout:
    case frameTypes.stderr: {
      const channel = frame.type === frameTypes.stdout ? "stdout" : "stderr";
      const { payload } = frame;
      if (payload.length === 0) throw new FrameFault("output without a byte");
      return { type: "output", channel, chunks: [payload], byteLength: payload.length };
    }
    case frameTypes.toolCall:
      return readToolCall(frame.payload, caps.toolPayloadBytes);
    case frameTypes.ending:
      return { type: "ending", result: readEnding(frame.payload) };
    case frameTypes.result:
      return { type: "result", result: readResult(frame.payload, caps.resultBytes) };
    default:
      throw new FrameFault(`frame of type ${frame.type} from a running guest`);
  }
}

function readToolCall(payload: Buffer, maxBytes: number): GuestFrame {
  const { head, body } = split(payload, maxCallHeaderBytes);
  checkSize(body, maxBytes);
  const { seq, key, tool } = parseJsonFrame(callSchema, head);
  const argumentsJson = body.toString("utf8");
  checkText(argumentsJson, "arguments text", maxCheckedValues);
  if (!argumentsJson.trimStart().startsWith("{"))
    throw new FrameFault("arguments that are no object");
  return { type: "tool_call", call: seq, callKey: key, tool, argumentsJson };
}

function readResult(payload: Buffer, maxBytes: number): ProgramResult {
  const { head, body } = split(payload, maxResultHeaderBytes);
  checkSize(body, maxBytes);
  const header = parseJsonFrame(resultSchema, head);
  const hasJson = header.status === "completed" && header.hasJson;
  const json = hasJson ? body.toString("utf8") : undefined;
  // No value takes less than a byte: a result within its length is taken however many it has.
  if (json !== undefined) checkText(json, "result", maxBytes);
  return toResult(header, json);
}

/** What the program had before its end began: the same header, and no JSON. */
function readEnding(payload: Buffer): ProgramResult {
  const { head } = split(payload, maxResultHeaderBytes);
  return toResult(parseJsonFrame(resultSchema, head), undefined);
}

function toResult(header: z.infer<typeof resultSchema>, json: string | undefined): ProgramResult {
  if (header.status === "failed") {
    const { reason, type, message, traceback, line } = header;
    return { status: "failed", error: { reason, type, message, traceback, line } };
  }
  const { text, type, conversions, notes } = header;
  return { status: "completed", value: { json, text, type, conversions, notes } };
}

/** A line of JSON, and what follows it. */
function split(payload: Buffer, maxHeadBytes: number): { head: Buffer; body: Buffer } {
  const end = payload.indexOf(0x0a);
  if (end < 0 || end > maxHeadBytes) throw new FrameFault("frame without a header");
  return { head: payload.subarray(0, end), body: payload.subarray(end + 1) };
}

function checkSize(body: Buffer, maxBytes: number): void {
  if (body.length <= maxBytes) return;
  throw new FrameFault(`value of ${body.length} bytes, at most ${maxBytes}`);
}

// The guest's runner sends only what it has written itself; anything else is a forgery.
function checkText(text: string, what: string, maxValues: number): void {
  try {
    checkJson(text, maxValues);
  } catch (error) {
    throw new FrameFault(`${what} that is not JSON as it must be`, error);
  }
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

/** The frame that holds the program. */
export function programFrame(program: GuestProgram): Buffer {
  return toFrame(frameTypes.program, [Buffer.from(program.text)]);
}

/** The frame that answers a call. */
export function answerFrame(answer: GuestAnswer): Buffer {
  return toFrame(frameTypes.toolResult, [Buffer.from(answerText(answer))]);
}

function answerText(answer: GuestAnswer): string {
  if ("resultJson" in answer) return `{"seq":${answer.call}}\n${answer.resultJson}`;
  const { kind, message } = answer.error;
  return `${JSON.stringify({ seq: answer.call, error: { kind, message } })}\n`;
}
