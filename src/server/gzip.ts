import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { overloaded } from "../shared/overloaded.ts";
import { toConnectError } from "../shared/status.ts";
import { Budgets } from "./budgets.ts";
import { Entrance } from "./entrance.ts";

const KiB = 1024;
// What nearly every message fits into; any number of these may be unfolded at once.
const smallBytes = 64 * KiB;
// Of a large one in each millisecond that is spent on it: most of that is work for V8's collector, measured.
// A quarter of its time may be spent on a tenant, which makes 32 MiB a second.
const bytesPerMs = 128 * KiB;
// The last field of a member of gzip (RFC 1952, section 2.3.1): its length before it was folded.
const sizeBytes = 4;

const unzip = promisify(gunzip);

/** A call that has messages to be unfolded. */
export interface Unfolding {
  /** Whose turn it takes. */
  readonly group: string;
  /** Nobody waits for its answer any more. */
  isOver(): boolean;
}

/** Options of `createGzip`. */
export interface GzipOptions {
  /** The call whose message is asked for now. */
  readonly current: () => Unfolding;
  /** Large messages that are unfolded at once. */
  readonly largeAtOnce: number;
  /** Of large messages that wait for their turn, as they came. */
  readonly waitingBytes: number;
}

/**
 * gzip for messages that strangers folded. A few KiB may unfold to the most that a message may be, so
 * that large ones take turns, `largeAtOnce` together, those of each group in turn, which rests after
 * each. One for which too much waits is refused: a ConnectError of an `overloaded`.
 */
export function createGzip({ current, largeAtOnce, waitingBytes }: GzipOptions) {
  const budgets = new Budgets({ burstMs: 0 });
  const mayBegin = (group: string) => unfolded < largeAtOnce && budgets.restMs(group) === 0;
  const entrance = new Entrance({ mayBegin });
  let unfolded = 0;
  let heldBytes = 0;
  const turn = (bytes: number, mostBytes: number): Promise<Disposable> => {
    if (heldBytes + bytes > waitingBytes) throw tooManyWait(waitingBytes);
    heldBytes += bytes;
    const { group, isOver } = current();
    const { promise, resolve, reject } = Promise.withResolvers<Disposable>();
    const begin = () => {
      heldBytes -= bytes;
      if (isOver()) {
        reject(new ConnectError("the call is over", Code.Canceled));
        return;
      }
      unfolded += 1;
      budgets.spend(group, mostBytes / bytesPerMs / largeAtOnce);
      resolve({
        [Symbol.dispose]() {
          unfolded -= 1;
        },
      });
    };
    entrance.enter({ group, pace: undefined, isOver: () => false, begin });
    return promise;
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
