import { gzipSync } from "node:zlib";
import { frame, frameTypes, headerBlock, openCall, type RawHttp2, settings } from "./raw-http2.ts";

const MiB = 1024 * 1024;
const batch = 250;
const cancelled = Buffer.from([0, 0, 0, 8]);

/** Sends the same again and again, until it is closed or has been sent so often. */
export async function flood(
  peer: RawHttp2,
  times: number,
  make: (index: number) => Uint8Array,
): Promise<void> {
  for (let sent = 0; sent < times && !peer.isClosed; sent += batch)
    await peer.send(...Array.from({ length: batch }, (_, index) => make(sent + index)));
}

/** A call that is opened and reset at once; each with an index of its own. */
export function openAndReset(index: number, headers: Readonly<Record<string, string>>): Buffer {
  const stream = 2 * index + 1;
  return Buffer.concat([
    openCall(stream, headers),
    frame(frameTypes.reset, { stream, payload: cancelled }),
  ]);
}

/** The beginning of headers that CONTINUATION frames go on with. */
export function openHeaders(): Buffer {
  const payload = headerBlock({ ":method": "POST", "x-a": "a" });
  return frame(frameTypes.headers, { stream: 1, payload });
}

/** A CONTINUATION frame with one large header. */
export function continuation(): Buffer {
  const payload = headerBlock({ "x-more": "b".repeat(16_000) });
  return frame(frameTypes.continuation, { stream: 1, payload });
}

/** A CONTINUATION frame with nothing in it. */
export function emptyContinuation(): Buffer {
  return frame(frameTypes.continuation, { stream: 1 });
}

/** A PING frame. */
export const ping = frame(frameTypes.ping, { payload: Buffer.alloc(8) });

/** A SETTINGS frame that changes the window with each index. */
export function changedSettings(index: number): Buffer {
  return settings([4, 65_535 + (index % 2)]);
}

/** Frames that are allowed in any number and do nothing, by name. */
export const idleFrames: Readonly<Record<string, Buffer>> = {
  "window updates": frame(frameTypes.windowUpdate, { payload: Buffer.from([0, 0, 0, 1]) }),
  priorities: frame(frameTypes.priority, { stream: 1, payload: Buffer.from([0, 0, 0, 3, 1]) }),
  "frames of no known type": frame(0xf0, { payload: Buffer.alloc(16) }),
  "empty data": frame(frameTypes.data, { stream: 1 }),
};

/** 1 GiB of zeros, compressed a piece at a time: a sequence of gzip members is one gzip stream. */
export function bomb(): Buffer {
  const member = gzipSync(Buffer.alloc(64 * MiB), { level: 9 });
  return Buffer.concat(Array.from({ length: 16 }, () => member));
}

/** Bytes as frames of plausible kinds and lengths. */
export function noiseFrames(noise: Buffer): Buffer {
  return Buffer.concat(
    Array.from({ length: 20 }, (_, at) =>
      frame((noise[at] ?? 0) % 10, {
        flags: noise[at + 20] ?? 0,
        stream: (noise[at + 40] ?? 0) % 8,
        payload: noise.subarray(at * 50, at * 50 + ((noise[at + 60] ?? 0) % 50)),
      }),
    ),
  );
}

/** A gRPC message in an envelope that says it is compressed. */
export function compressed(bytes: Uint8Array): Buffer {
  const framed = Buffer.alloc(5 + bytes.length);
  framed[0] = 1;
  framed.writeUInt32BE(bytes.length, 1);
  framed.set(bytes, 5);
  return framed;
}
