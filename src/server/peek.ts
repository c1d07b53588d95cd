import type { Socket } from "node:net";

/** What the first bytes of a connection say that it speaks. */
export type Wire = "http2" | "http1" | "other";

// RFC 9113, section 3.4.
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** What these first bytes are the start of; undefined while they could still be HTTP/2's preface. */
export function classify(bytes: Buffer): Wire | undefined {
  const length = Math.min(bytes.length, preface.length);
  if (length > 0 && bytes.subarray(0, length).equals(preface.subarray(0, length)))
    return length === preface.length ? "http2" : undefined;
  const [first] = bytes;
  if (first === undefined) return undefined;
  // A method, or the empty line that RFC 9112, section 2.2, lets a client send before one.
  const isMethod = (first >= 0x41 && first <= 0x5a) || first === 0x0d || first === 0x0a;
  return isMethod ? "http1" : "other";
}

// What a client may say before its first call: settings, windows, priorities.
const mostBeforeCall = 16 * 1024;
const frameHead = 9;
const headersFrame = 1;

/** Whether bytes that began with HTTP/2's preface go on to a call; undefined while they may. */
export function classifyCall(bytes: Buffer): "call" | "other" | undefined {
  let at = preface.length;
  while (bytes.length >= at + frameHead) {
    if (bytes[at + 3] === headersFrame) return "call";
    at += frameHead + bytes.readUIntBE(at, 3);
  }
  return at > mostBeforeCall ? "other" : undefined;
}

/** Options of `peek`. */
export interface PeekOptions<T> {
  /** Time for the first bytes, milliseconds; a slower connection is destroyed. */
  readonly timeoutMs: number;
  /** What these first bytes are; undefined while more are needed. */
  readonly classify: (bytes: Buffer) => T | undefined;
  /** Called at most once, with every byte back in the socket. */
  readonly onKnown: (known: T) => void;
}

/** Waits for the first bytes of a socket, and gives them back to it. */
export function peek<T>(socket: Socket, { timeoutMs, classify, onKnown }: PeekOptions<T>): void {
  let seen = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const stop = () => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("error", onError);
    socket.off("close", stop);
    socket.off("end", onEnd);
  };
  const onError = () => socket.destroy();
  const onEnd = () => socket.destroy();
  const onReadable = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
      seen = Buffer.concat([seen, chunk]);
      const known = classify(seen);
      if (known === undefined) continue;
      stop();
      socket.unshift(seen);
      onKnown(known);
      return;
    }
  };
  socket.on("readable", onReadable);
  socket.once("error", onError);
  socket.once("end", onEnd);
  socket.once("close", stop);
  // Bytes that were given back before are not announced again.
  if (socket.readableLength > 0) onReadable();
}
