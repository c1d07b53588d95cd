import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { overloaded } from "../shared/overloaded.ts";
import { toConnectError } from "../shared/status.ts";

const KiB = 1024;
// What nearly every message fits into; any number of these may be unfolded at once.
const smallBytes = 64 * KiB;
// Of large ones in each place, however fast they are: each is work for V8's collector as well.
const bytesPerMs = 32 * KiB;
// The last field of a member of gzip (RFC 1952, section 2.3.1): its length before it was folded.
const sizeBytes = 4;

const unzip = promisify(gunzip);

/** Options of `createGzip`. */
export interface GzipOptions {
  /** Large messages that are unfolded at once. */
  readonly largeAtOnce: number;
  /** Of large messages that wait for their turn, as they came. */
  readonly waitingBytes: number;
}

/**
 * gzip for messages that strangers folded. A few KiB may unfold to the most that a message may be, so
 * that large ones take turns, `largeAtOnce` together, with a rest after each. One for which too much
 * waits is refused: a ConnectError of an `overloaded`.
 */
export function createGzip({ largeAtOnce, waitingBytes }: GzipOptions) {
  const waiting: (() => void)[] = [];
  let free = largeAtOnce;
  let heldBytes = 0;
  const next = () => {
    const resolve = waiting.shift();
    if (resolve === undefined) free += 1;
    else resolve();
  };
  const turn = async (bytes: number, unfoldedBytes: number): Promise<Disposable> => {
    if (free > 0) free -= 1;
    else {
      if (heldBytes + bytes > waitingBytes) throw tooManyWait(waitingBytes);
      heldBytes += bytes;
      await new Promise<void>((resolve) => waiting.push(resolve));
      heldBytes -= bytes;
    }
    return {
      [Symbol.dispose]() {
        setTimeout(next, unfoldedBytes / bytesPerMs);
      },
    };
  };
  return {
    ...compressionGzip,
    async decompress(bytes: Uint8Array, readMaxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
      const size = saidSize(bytes);
      if (size <= smallBytes && readMaxBytes > smallBytes) {
        try {
          return await unfold(bytes, size, smallBytes);
        } catch (error) {
          if (ConnectError.from(error).code !== Code.ResourceExhausted) throw error;
        }
      }
      const mostBytes = size > smallBytes ? Math.min(size, readMaxBytes) : readMaxBytes;
      using _ = await turn(bytes.length, mostBytes);
      return await unfold(bytes, mostBytes, readMaxBytes);
    },
  };
}

/** What a message says that it unfolds to; it may say anything. */
function saidSize({ buffer, byteOffset, byteLength }: Uint8Array): number {
  if (byteLength < sizeBytes) return 0;
  return new DataView(buffer, byteOffset + byteLength - sizeBytes).getUint32(0, true);
}

/** Unfolds a message, in one step and into one buffer if it is of the size that it says. */
async function unfold(
  bytes: Uint8Array,
  size: number,
  mostBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes.length === 0) return new Uint8Array(0);
  try {
    // With room for a byte more, so that it does not ask for a second buffer.
    return await unzip(bytes, { chunkSize: Math.max(size, KiB) + 1, maxOutputLength: mostBytes });
  } catch (error) {
    if (isTooLarge(error)) throw tooLarge(mostBytes);
    throw new ConnectError("the message is no gzip", Code.InvalidArgument, undefined, [], error);
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

function tooLarge(mostBytes: number): ConnectError {
  const message = `the message unfolds to more than ${mostBytes} bytes`;
  return new ConnectError(message, Code.ResourceExhausted);
}

function tooManyWait(waitingBytes: number): ConnectError {
  const message = "too many large messages wait to be unfolded";
  return toConnectError(
    overloaded({ message, quota: `${waitingBytes} bytes of messages waiting` }),
  );
}
