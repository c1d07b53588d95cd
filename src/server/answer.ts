import type { Hold } from "./transit.ts";

// What one wait for the caller is about: 64 KiB in a minute is 1 KiB a second.
const pieceBytes = 64 * 1024;

/** Options of `paced`. */
export interface PacedOptions {
  readonly hold: Hold;
  /** How long the caller may leave one piece untaken, milliseconds. */
  readonly takeMs: number;
  /** The same once the answer is complete, and only waits to be taken. */
  readonly lastMs: number;
  /** The caller takes nothing any more. */
  readonly onStall: () => void;
}

/** A response body that is given out in pieces; whoever writes them asks for one when the last is gone. */
export interface Paced extends AsyncIterable<Uint8Array> {
  /** The response is over, in whatever way: ends the body, whether or not it was read to its end. */
  close(): void;
}

/** Watches over an answer while its caller takes it, and accounts for what it has not taken. */
export function paced(
  body: AsyncIterable<Uint8Array>,
  { hold, takeMs, lastMs, onStall }: PacedOptions,
): Paced {
  const source = body[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  let pieceLength = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const wait = (ms: number) => {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(onStall, ms);
  };
  return {
    close() {
      if (isClosed) return;
      isClosed = true;
      clearTimeout(timer);
      // A write that never drains would leave the body, and all that its `finally` frees, behind.
      source.return?.().catch(() => {});
    },
    [Symbol.asyncIterator]: () => ({
      async next() {
        clearTimeout(timer);
        if (chunk.length === 0) {
          hold.sending(0);
          const step = await source.next();
          if (step.done === true) {
            // What the stream itself has taken in may be nearly as much as a piece.
            hold.sending(pieceLength);
            wait(lastMs);
            return step;
          }
          chunk = step.value;
        }
        hold.sending(chunk.length);
        const piece = chunk.subarray(0, pieceBytes);
        pieceLength = piece.length;
        chunk = chunk.subarray(pieceLength);
        wait(takeMs);
        return { done: false, value: piece };
      },
      return: async (value: unknown) => (await source.return?.(value)) ?? { done: true, value },
      throw: (error: unknown) => source.throw?.(error) ?? Promise.reject(error),
    }),
  };
}
