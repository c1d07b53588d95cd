// Frames: u32 length (little-endian), u8 type, payload. The guests' side in Python is cpython/guest/frames.py.

/** Bytes before a frame's payload. */
export const frameHeaderBytes = 5;

/** What a frame is: those of the guest below 16, those of the host above. */
export const frameTypes = {
  ready: 1,
  stdout: 2,
  stderr: 3,
  result: 4,
  toolCall: 5,
  ending: 6,
  program: 17,
  toolResult: 18,
} as const;

/** A frame as bytes, its payload in parts. */
export function toFrame(type: number, parts: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt32LE(
    parts.reduce((sum, part) => sum + part.length, 0),
    0,
  );
  header.writeUInt8(type, 4);
  return Buffer.concat([header, ...parts]);
}
