import { append, apply, hidden, now } from "./primordials.ts";
import { clear, setRepeatedTimer, setTimer } from "./timers.ts";

let startMs = 0;
let held: unknown[] = [];

/** What weak references have been asked for may go now. */
export function releaseHeld(): void {
  if (held.length > 0) held = [];
}

/** `WeakRef` that holds what it was asked for to the end of the job, as the language has it. */
function defineWeakRef(): void {
  const Native = WeakRef;
  const { deref } = Native.prototype;
  class HoldingWeakRef extends Native<WeakKey> {
    constructor(target: WeakKey) {
      super(target);
      append(held, target);
    }

    override deref(): WeakKey | undefined {
      const target = apply(deref, this, []) as WeakKey | undefined;
      if (target !== undefined) append(held, target);
      return target;
    }
  }
  hidden(HoldingWeakRef, "name", "WeakRef");
  hidden(globalThis, "WeakRef", HoldingWeakRef);
}

/** Says that the program starts now: `performance` counts from here. */
export function startClock(): void {
  startMs = now();
}

/** Milliseconds since the program started. */
export function elapsedMs(): number {
  return now() - startMs;
}

/** Puts timers and the clock in their place, and takes away what programs are not to have. */
export function defineGlobals(): void {
  const functions = {
    setTimeout: (callback: unknown, ms?: unknown, ...args: unknown[]) =>
      setTimer(callback, ms, args),
    setInterval: (callback: unknown, ms?: unknown, ...args: unknown[]) =>
      setRepeatedTimer(callback, ms, args),
    // As in Node after what has been started, and before any timer that is not yet due.
    setImmediate: (callback: unknown, ...args: unknown[]) => setTimer(callback, 0, args),
    clearImmediate: (id?: unknown) => clear(id),
    clearTimeout: (id?: unknown) => clear(id),
    clearInterval: (id?: unknown) => clear(id),
    // The engine's own began when the engine did, and its guests would share that moment.
    performance: {
      now: () => elapsedMs(),
      get timeOrigin() {
        return startMs;
      },
    },
  };
  for (const [name, value] of Object.entries(functions)) hidden(globalThis, name, value);
  defineWeakRef();
  // Memory that others share: there are no others.
  delete (globalThis as { SharedArrayBuffer?: unknown }).SharedArrayBuffer;
}
