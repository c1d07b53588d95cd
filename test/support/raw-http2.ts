import { randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";

/** Types of frames (RFC 9113, section 6). */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames; an acknowledgement and the end of a stream share a bit. */
export const flags = { ack: 1, endStream: 1, endHeaders: 4 } as const;

/** The first words of a client. */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A frame as it came. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** What a frame is made of, where it is not empty. */
export interface FrameParts {
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Uint8Array;
  /** What the head says of the payload's length. Default: the truth. */
  readonly length?: number;
}

/** A frame's bytes, right or wrong. */
export function frame(type: number, parts: FrameParts = {}): Buffer {
  const { flags: set = 0, stream = 0, payload = new Uint8Array(0) } = parts;
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(parts.length ?? payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = set;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** A SETTINGS frame of identifiers and values. */
export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return frame(frameTypes.settings, { payload });
}

/** Headers as HPACK literals that enter no table (RFC 7541, section 6.2.2). */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [
      Buffer.from([0]),
      hpackText(name),
      hpackText(value),
    ]),
  );
}

function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const most = 0x7f;
  if (bytes.length < most) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [most];
  let rest = bytes.length - most;
  for (; rest >= 128; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/** Headers of a gRPC call to a method of the service, such as "Execute". */
export function callHeaders(
  method: string,
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return {
    ":method": "POST",
    ":scheme": "http",
    ":path": `/codemode.v1.ExecutorService/${method}`,
    ":authority": "localhost",
    "content-type": "application/grpc",
    te: "trailers",
    ...more,
  };
}

/** A HEADERS frame that begins a call. */
export function openCall(
  stream: number,
  headers: Readonly<Record<string, string>>,
  { isEnd = false }: { readonly isEnd?: boolean } = {},
): Buffer {
  const set = flags.endHeaders | (isEnd ? flags.endStream : 0);
  return frame(frameTypes.headers, { stream, flags: set, payload: headerBlock(headers) });
}

/** Options of `connectRaw`. */
export interface RawOptions {
  /** What is sent first. Default: the preface and empty settings; answers to the peer's settings follow. */
  readonly hello?: Uint8Array;
}

/** A client of HTTP/2 that sends what it is told to, frame by frame, and follows no rule. */
export interface RawHttp2 extends Disposable {
  /** Frames that came, by type. */
  count(type: number): number;
  /** Resolves when the peer has room for more, or the connection is closed. */
  send(...frames: readonly Uint8Array[]): Promise<void>;
  /** The next frame, or the first that came already, for which the predicate holds. */
  until(isIt: (frame: RawFrame) => boolean): Promise<RawFrame>;
  /** Resolves when the peer has handled all that it was sent so far; rejects when it is closed first. */
  settle(): Promise<void>;
  /** Reads nothing any more, so that the peer's words pile up. */
  deafen(): void;
  readonly isClosed: boolean;
  readonly closed: Promise<void>;
  /** Error code of the peer's GOAWAY. */
  readonly goaway: number | undefined;
}

/** Connects, and says hello. */
export async function connectRaw(port: number, { hello }: RawOptions = {}): Promise<RawHttp2> {
  const socket = net.connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  // The peer may well reset a connection like this one.
  socket.on("error", () => {});
  await once(socket, "connect");
  const counts = new Map<number, number>();
  const seen: RawFrame[] = [];
  const waiting = new Set<(frame: RawFrame) => void>();
  let isClosed = false;
  let goaway: number | undefined;
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      isClosed = true;
      resolve();
    });
  });
  const onFrame = (received: RawFrame) => {
    const { type, flags: set, payload } = received;
    counts.set(type, (counts.get(type) ?? 0) + 1);
    if (type === frameTypes.goaway) goaway = payload.readUInt32BE(4);
    if (type === frameTypes.settings && (set & flags.ack) === 0)
      socket.write(frame(frameTypes.settings, { flags: flags.ack }));
    // Of a flood the beginning is enough.
    if (seen.length < 10_000) seen.push(received);
    for (const wake of waiting) wake(received);
  };
  let bytes: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    for (let end = frameEnd(bytes); end !== undefined; end = frameEnd(bytes)) {
      onFrame(parseFrame(bytes.subarray(0, end)));
      bytes = bytes.subarray(end);
    }
  });
  const client: RawHttp2 = {
    count: (type) => counts.get(type) ?? 0,
    async send(...frames) {
      if (isClosed || socket.write(Buffer.concat(frames))) return;
      await Promise.race([once(socket, "drain").catch(() => {}), closed]);
    },
    async until(isIt) {
      const known = seen.find(isIt);
      if (known !== undefined) return known;
      const found = Promise.withResolvers<RawFrame>();
      const wake = (received: RawFrame) => {
        if (isIt(received)) found.resolve(received);
      };
      waiting.add(wake);
      const over = closed.then(() => Promise.reject(new Error("the connection closed before it")));
      return await Promise.race([found.promise, over]).finally(() => waiting.delete(wake));
    },
    async settle() {
      const payload = randomBytes(8);
      await client.send(frame(frameTypes.ping, { payload }));
      await client.until(
        ({ type, payload: answer }) => type === frameTypes.ping && payload.equals(answer),
      );
    },
    deafen: () => socket.pause(),
    get isClosed() {
      return isClosed;
    },
    closed,
    get goaway() {
      return goaway;
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
  await client.send(hello ?? Buffer.concat([preface, settings()]));
  return client;
}

function frameEnd(bytes: Buffer): number | undefined {
  if (bytes.length < 9) return undefined;
  const end = 9 + bytes.readUIntBE(0, 3);
  return bytes.length < end ? undefined : end;
}

function parseFrame(bytes: Buffer): RawFrame {
  return {
    type: bytes[3] ?? 0,
    flags: bytes[4] ?? 0,
    stream: bytes.readUInt32BE(5) & 0x7fff_ffff,
    payload: bytes.subarray(9),
  };
}
