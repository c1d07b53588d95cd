import { frameHeaderBytes, frameTypes, toFrame } from "../../frame-types.ts";

// The guest's side of sandbox/frames.ts.
const maxOutputBytes = 32 * 1024;

/** The answer to a call as the host sends it. */
export interface Answer {
  readonly call: number;
  readonly error: { readonly kind: string; readonly message: string } | undefined;
  /** JSON text of the value, where there is no error. */
  readonly json: Uint8Array;
}

/** Frames of output on channel 1 or 2, none longer than a frame may be. */
export function outputFrames(channel: number, data: Uint8Array): Buffer[] {
  const type = channel === 2 ? frameTypes.stderr : frameTypes.stdout;
  const frames: Buffer[] = [];
  for (let start = 0; start < data.length; start += maxOutputBytes) {
    frames.push(toFrame(type, [data.subarray(start, start + maxOutputBytes)]));
  }
  return frames;
}

/** The frame of a call of a tool. */
export function callFrame(
  header: { seq: number; key: string; tool: string },
  argumentsJson: Uint8Array,
): Buffer {
  return toFrame(frameTypes.toolCall, [headerLine(header), argumentsJson]);
}

/** The frame of a program's end. */
export function resultFrame(header: object, json: Uint8Array): Buffer {
  return toFrame(frameTypes.result, [headerLine(header), json]);
}

/** The text of a program, from the one frame that holds it. */
export function readProgram(frame: Uint8Array): string {
  return Buffer.from(payloadOf(frame, frameTypes.program)).toString("utf8");
}

/** An answer, from the one frame that holds it. */
export function readAnswer(frame: Uint8Array): Answer {
  const payload = payloadOf(frame, frameTypes.toolResult);
  const end = payload.indexOf(0x0a);
  const header = JSON.parse(Buffer.from(payload.subarray(0, end)).toString("utf8"));
  return { call: header.seq, error: header.error, json: payload.subarray(end + 1) };
}

function headerLine(header: object): Buffer {
  return Buffer.from(`${JSON.stringify(header)}\n`);
}

function payloadOf(frame: Uint8Array, type: number): Uint8Array {
  if (frame[4] !== type) throw new Error(`a frame of type ${frame[4]} where ${type} was due`);
  return frame.subarray(frameHeaderBytes);
}
