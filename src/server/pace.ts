import type { ServerResponse } from "node:http";
import { Http2ServerResponse, type Http2Session } from "node:http2";
import { TokenBucket } from "../shared/token-bucket.ts";

// Calls of one connection that may wait to be begun; what comes after them waits in the kernel.
const mostWaiting = 64;
// Of the time that calls cost which their own caller reset before they began: a tenth of what passes.
const share = 0.1;
const burstMs = 5;
const longestRestMs = 1_000;
const shortestRestMs = 1;

/** What a socket's handle can be told; Node has no public word for it under HTTP/2. */
interface Readable {
  readStop?: () => unknown;
  readStart?: () => unknown;
}

/**
 * Keeps one connection of HTTP/2 from bringing more than it may cost, by not reading it for a while:
 * Node reads up to 2 MiB of a socket, some ten thousand calls, before it looks at another one.
 */
export class Pace {
  readonly #session: Http2Session;
  readonly #handle: Readable | undefined;
  #waiting = 0;
  readonly #budget = new TokenBucket({ burst: burstMs, perMs: share });
  #rest: NodeJS.Timeout | undefined;
  #isReading = true;

  constructor(session: Http2Session) {
    this.#session = session;
    const { _handle: handle } = session.socket as { readonly _handle?: Readable };
    this.#handle = handle;
    session.once("close", () => clearTimeout(this.#rest));
  }

  /** A call has come, and waits to be begun. */
  enter(): void {
    this.#waiting += 1;
    this.#update();
  }

  /** A call has been begun, or dropped. */
  leave(): void {
    this.#waiting -= 1;
    this.#update();
  }

  /** Says what was done for nothing, milliseconds. */
  spend(ms: number): void {
    const owedMs = this.#budget.take(ms);
    if (owedMs > 0 && this.#rest === undefined && !this.#session.destroyed) this.#sleep();
    else this.#update();
  }

  #sleep(): void {
    const restMs = Math.max(shortestRestMs, Math.min(longestRestMs, this.#budget.owedMs));
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      // More came of what had been read already.
      if (this.#budget.owedMs > 0) this.#sleep();
      this.#update();
    }, restMs);
    this.#update();
  }

  #update(): void {
    const mayRead = this.#waiting <= mostWaiting && this.#rest === undefined;
    if (this.#session.destroyed) return;
    // Said for each call that comes: Node reads again by itself when a write has ended that had to wait.
    if (!mayRead) this.#handle?.readStop?.();
    else if (!this.#isReading) this.#handle?.readStart?.();
    this.#isReading = mayRead;
  }
}

const paces = new WeakMap<Http2Session, Pace>();

/** The pace of a response's connection; undefined where that brings one call at a time, or is closed. */
export function paceOf(response: ServerResponse | Http2ServerResponse): Pace | undefined {
  const session = response instanceof Http2ServerResponse ? response.stream.session : undefined;
  if (session === undefined || session.destroyed) return undefined;
  const pace = paces.get(session) ?? new Pace(session);
  paces.set(session, pace);
  return pace;
}
