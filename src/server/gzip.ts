import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { overloaded } from "../shared/overloaded.ts";
import { toConnectError } from "../shared/status.ts";

// What nearly every message fits into; any number of these may be unfolded at once.
const smallBytes = 64 * 1024;
// After a large one, as a multiple of what it took: so that they have a quarter of a core at most.
const restShare = 3;

/** Options of `createGzip`. */
export interface GzipOptions {
  /** Large messages that are unfolded at once. */
  readonly largeAtOnce: number;
  /** Of large messages that wait for their turn, as they came. */
  readonly waitingBytes: number;
}

/**
 * gzip for messages that strangers folded. A few KiB may unfold to the most that a message may be, and
 * Node unfolds all that it is given a little at a time: so large ones take turns, `largeAtOnce` together,
 * with a rest between them. One for which too much waits is refused: a ConnectError of an `overloaded`.
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
  const turn = async (bytes: number): Promise<Disposable> => {
    if (free > 0) free -= 1;
    else {
      if (heldBytes + bytes > waitingBytes) throw tooManyWait(waitingBytes);
      heldBytes += bytes;
      await new Promise<void>((resolve) => waiting.push(resolve));
      heldBytes -= bytes;
    }
    const beganAt = performance.now();
    return {
      [Symbol.dispose]() {
        setTimeout(next, (performance.now() - beganAt) * restShare);
      },
    };
  };
  return {
    ...compressionGzip,
    async decompress(bytes: Uint8Array, readMaxBytes: number) {
      if (readMaxBytes > smallBytes) {
        try {
          return await compressionGzip.decompress(bytes, smallBytes);
        } catch (error) {
          if (ConnectError.from(error).code !== Code.ResourceExhausted) throw error;
        }
      }
      using _ = await turn(bytes.length);
      return await compressionGzip.decompress(bytes, readMaxBytes);
    },
  };
}

function tooManyWait(waitingBytes: number): ConnectError {
  const message = "too many large messages wait to be unfolded";
  return toConnectError(
    overloaded({ message, quota: `${waitingBytes} bytes of messages waiting` }),
  );
}
