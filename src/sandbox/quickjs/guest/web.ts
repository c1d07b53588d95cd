import { hidden, now } from "./primordials.ts";
import { clear, setRepeatedTimer, setTimer } from "./timers.ts";

let startMs = 0;

/** Says that the program starts now: `performance` counts from here. */
export function startClock(): void {
  startMs = now();
}

/** Puts timers and the clock in their place, and takes away what programs are not to have. */
export function defineGlobals(): void {
  const functions = {
    setTimeout: (callback: unknown, ms?: unknown, ...args: unknown[]) =>
      setTimer(callback, ms, args),
    setInterval: (callback: unknown, ms?: unknown, ...args: unknown[]) =>
      setRepeatedTimer(callback, ms, args),
    clearTimeout: (id?: unknown) => clear(id),
    clearInterval: (id?: unknown) => clear(id),
    // The engine's own began when the engine did, and its guests would share that moment.
    performance: {
      now: () => now() - startMs,
      get timeOrigin() {
        return startMs;
      },
    },
  };
  for (const [name, value] of Object.entries(functions)) hidden(globalThis, name, value);
  // Memory that others share: there are no others.
  delete (globalThis as { SharedArrayBuffer?: unknown }).SharedArrayBuffer;
}
