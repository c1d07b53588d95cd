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

/** Options of `peek`. */
export interface PeekOptions {
  /** Time for the first bytes, milliseconds; a slower connection is destroyed. */
  readonly timeoutMs: number;
  /** Called at most once, with every byte back in the socket. */
  readonly onWire: (wire: Wire) => void;
}

/** Waits for the first bytes of a socket, and gives them back to it. */
export function peek(socket: Socket, { timeoutMs, onWire }: PeekOptions): void {
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
      const wire = classify(seen);
      if (wire === undefined) continue;
      stop();
      socket.unshift(seen);
      onWire(wire);
      return;
    }
  };
  socket.on("readable", onReadable);
  socket.once("error", onError);
  socket.once("end", onEnd);
  socket.once("close", stop);
}
