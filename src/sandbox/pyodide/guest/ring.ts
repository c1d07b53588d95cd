const [bell, written, taken, closed] = [0, 1, 2, 3];
const stateBytes = 4 * 4;
// A power of two: counters of bytes go round at 2^32.
const ringBytes = 256 * 1024;

/** A buffer that two threads share: one puts bytes in, the other takes them out in their order. */
export interface Ring {
  readonly state: Int32Array<SharedArrayBuffer>;
  readonly data: Uint8Array<SharedArrayBuffer>;
}

/** The ring in a shared buffer, a new one by default. */
export function toRing(buffer = new SharedArrayBuffer(stateBytes + ringBytes)): Ring {
  return { state: new Int32Array(buffer, 0, 4), data: new Uint8Array(buffer, stateBytes) };
}

/** Puts bytes in; resolves when all have found room. */
export async function put({ state, data }: Ring, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0; ) {
    const at = Atomics.load(state, written);
    const seen = Atomics.load(state, taken);
    const room = data.length - ((at - seen) | 0);
    const start = (at >>> 0) % data.length;
    const part = rest.subarray(0, Math.min(room, data.length - start));
    if (part.length === 0) {
      const turn = Atomics.waitAsync(state, taken, seen);
      if (turn.async) await turn.value;
      continue;
    }
    data.set(part, start);
    Atomics.store(state, written, (at + part.length) | 0);
    ring(state);
    rest = rest.subarray(part.length);
  }
}

/** Nothing more is put in. */
export function close({ state }: Ring): void {
  Atomics.store(state, closed, 1);
  ring(state);
}

/** Blocks until there are bytes to take, or never will be; false when the time is up before. */
export function wait({ state }: Ring, timeoutMs: number): boolean {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const seen = Atomics.load(state, bell);
    if (fill(state) > 0 || Atomics.load(state, closed) === 1) return true;
    const left = end - performance.now();
    if (!(left > 0)) return false;
    Atomics.wait(state, bell, seen, left);
  }
}

/** Takes at most `length` bytes, as soon as there is one; 0 when the ring is closed and empty. */
export function take(ring: Ring, target: Int8Array, offset: number, length: number): number {
  const { state, data } = ring;
  wait(ring, Number.POSITIVE_INFINITY);
  const at = Atomics.load(state, taken);
  const start = (at >>> 0) % data.length;
  const count = Math.min(length, fill(state), data.length - start);
  target.set(data.subarray(start, start + count), offset);
  Atomics.store(state, taken, (at + count) | 0);
  Atomics.notify(state, taken);
  return count;
}

function fill(state: Int32Array): number {
  return (Atomics.load(state, written) - Atomics.load(state, taken)) | 0;
}

function ring(state: Int32Array<SharedArrayBuffer>): void {
  Atomics.add(state, bell, 1);
  Atomics.notify(state, bell);
}
