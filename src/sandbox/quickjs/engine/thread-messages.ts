import type { RunLimits } from "./run.ts";
import type { RunEnd } from "./run-end.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a thread is made with. */
export interface ThreadData {
  readonly snapshot: Snapshot;
}

/** To a thread. */
export type ThreadCommand =
  | {
      readonly type: "start";
      readonly guest: number;
      readonly control: SharedArrayBuffer;
      readonly limits: RunLimits;
    }
  /** One frame of the host's. */
  | { readonly type: "data"; readonly guest: number; readonly bytes: Uint8Array }
  | { readonly type: "drop"; readonly guest: number }
  /** What is held for runs that have ended is to be given back. */
  | { readonly type: "collect" };

/** From a thread. */
export type ThreadReport =
  | { readonly type: "ready" }
  | { readonly type: "data"; readonly guest: number; readonly bytes: Uint8Array }
  | {
      readonly type: "end";
      readonly guest: number;
      readonly end: RunEnd;
      readonly cpuMs: number;
      readonly peakMemoryBytes: number;
    }
  /** A run waits for room for its memory. */
  | { readonly type: "grow"; readonly guest: number; readonly pages: number }
  /** Of these runs, which have ended, nothing is held any more. */
  | { readonly type: "freed"; readonly guests: readonly number[] }
  /** A run that takes turns waits for something. */
  | { readonly type: "rests"; readonly guest: number }
  /** It is to be replaced as soon as nothing runs in it. */
  | { readonly type: "spoilt" };
