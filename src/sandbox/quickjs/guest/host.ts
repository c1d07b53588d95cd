/** What the host does for a guest. Numbers and text go in, a number comes out, nothing else. */
export interface Host {
  /** Writes to channel 1 or 2. */
  o(channel: number, text: string): void;
  /** Sends a call. Gives 0, or the size of its arguments when they are too large to be sent. */
  t(sequence: number, key: string, tool: string, argumentsJson: string): number;
  /** A hash of a text, from 0 to 2^48 - 1. */
  h(text: string): number;
  /** Says how the program ended. Gives 0, or the size of the value when it is too large to be sent. */
  r(header: string, json: string): number;
  /** Gives the guest some memory more: room to report that there is none left. */
  m(): void;
  /** Wakes the guest after so many milliseconds; a negative number takes it back. */
  w(ms: number): void;
  /** The state of a promise: 0 pending, 1 fulfilled, 2 rejected. */
  p(promise: unknown): number;
  /** What a promise was settled with. */
  q(promise: unknown): unknown;
  /** A digest: takes its algorithm and bytes as hexadecimal text, and then gives its words, by their index. */
  d(algorithm: string, hex: string, index: number): number;
  /** Asks ICU: JSON text for JSON text; see engine/intl.ts. */
  i(request: string): string;
  /** How two texts are ordered, by the collator that ICU was last asked to use. */
  c(one: string, other: string): number;
  /** A random number from 0 to 2^32 - 1 that nobody can predict. */
  n(): number;
}

// The engine puts it there for the prelude, which takes it away before any program runs.
const global = globalThis as unknown as { host?: Host };

/** The functions of the host. */
export const host = global.host as Host;
delete global.host;
