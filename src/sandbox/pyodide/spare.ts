import { forkSignal, onAbort, untilAborted } from "../../shared/abort.ts";
import { CodemodeError } from "../../shared/errors.ts";
import type { PyodideGuest } from "./guest.ts";
import { Slots } from "./slots.ts";

/** Options of `Spare`. */
export interface SpareOptions {
  /** Whether a guest shall be kept waiting for the next program. */
  readonly isKept: boolean;
  /** Guests that may run at once, the one that is kept not counted. */
  readonly maxGuests: number;
  readonly start: () => PyodideGuest;
}

/** The guests of an engine: at most one that waits, and those that run. Disposing kills them all. */
export class Spare implements AsyncDisposable {
  readonly #options: SpareOptions;
  readonly #slots: Slots;
  readonly #living = new Set<PyodideGuest>();
  readonly #closing = new AbortController();
  #waiting: PyodideGuest | undefined;

  constructor(options: SpareOptions) {
    this.#options = options;
    this.#slots = new Slots(options.maxGuests);
  }

  /**
   * A guest that waits for a program, the one that is kept or one started now, when it is the group's
   * turn. Rejects with a CodemodeError `unavailable` when it could not be started, with `signal.reason` when that aborts.
   */
  async lease(signal: AbortSignal, group: string): Promise<PyodideGuest> {
    await this.#slot(signal, group);
    const guest = this.#give(group);
    void guest.exited.then(() => this.#slots.give(group));
    this.#replenish();
    await untilReady(guest, signal);
    return guest;
  }

  /** Starts the first guest; rejects like `lease` when that does not come to be ready. */
  async prove(signal: AbortSignal): Promise<void> {
    const guest = this.#start();
    await untilReady(guest, signal);
    if (this.#options.isKept) this.#waiting = guest;
    else guest[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new CodemodeError("unavailable", "pyodide: the sandbox is closed"));
    const living = [...this.#living];
    for (const guest of living) guest.kill();
    await Promise.all(living.map((guest) => guest.exited));
  }

  async #slot(signal: AbortSignal, group: string): Promise<void> {
    using either = forkSignal(signal);
    using _ = onAbort(this.#closing.signal, either.abort);
    either.signal.throwIfAborted();
    await this.#slots.take(group, either.signal);
  }

  #replenish(): void {
    if (!this.#options.isKept || this.#waiting?.hasEnded === false) return;
    try {
      this.#waiting = this.#start();
    } catch {
      // The next program starts its own, and is told why where that cannot be done either.
    }
  }

  /** A guest for the slot that is held; without one the slot is free again. */
  #give(group: string): PyodideGuest {
    try {
      return this.#take() ?? this.#start();
    } catch (error) {
      this.#slots.give(group);
      throw unavailable(error);
    }
  }

  #take(): PyodideGuest | undefined {
    const guest = this.#waiting;
    this.#waiting = undefined;
    return guest?.hasEnded === false ? guest : undefined;
  }

  #start(): PyodideGuest {
    this.#closing.signal.throwIfAborted();
    const guest = this.#options.start();
    this.#living.add(guest);
    void guest.exited.then(() => this.#living.delete(guest));
    return guest;
  }
}

async function untilReady(guest: PyodideGuest, signal: AbortSignal): Promise<void> {
  try {
    await untilAborted(guest.ready, signal);
  } catch (cause) {
    guest[Symbol.dispose]();
    signal.throwIfAborted();
    throw unavailable(cause);
  }
}

function unavailable(cause: unknown): CodemodeError {
  if (CodemodeError.is(cause)) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CodemodeError("unavailable", `pyodide: ${why}`, { cause });
}
