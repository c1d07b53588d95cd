import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";

// What nearly every message fits into; any number of these may be unfolded at once.
const smallBytes = 64 * 1024;

/**
 * gzip for messages that strangers folded. A few KiB may unfold to the most that a message may be, and
 * Node unfolds all that it is given a little at a time: so large ones take turns, `largeAtOnce` together.
 */
export function createGzip({ largeAtOnce }: { readonly largeAtOnce: number }) {
  const waiting: (() => void)[] = [];
  let free = largeAtOnce;
  const turn = async (): Promise<Disposable> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return {
      [Symbol.dispose]() {
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
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
      using _ = await turn();
      return await compressionGzip.decompress(bytes, readMaxBytes);
    },
  };
}
