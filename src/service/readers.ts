import { startTimer } from "../shared/abort.ts";
import type { CodemodeError } from "../shared/errors.ts";
import { overloaded, tenantSubject } from "../shared/overloaded.ts";
import type { Stop } from "../shared/stop.ts";
import type { Tally } from "../shared/tally.ts";
import { callEnded, callerGone, deadlinesPassed, readersGone } from "./endings.ts";

/** Bounds of followers, of which readers that started an execution are none. */
export interface FollowerBounds {
  /** Of one execution. */
  readonly perExecution: number;
  /** Of all executions of one tenant. */
  readonly perTenant: number;
}

/** A call that reads. */
export interface Attendance {
  /** Aborts when the call is over. */
  readonly signal?: AbortSignal | undefined;
  /**
   * For a call that asks for the program: when its caller's deadline passes, on `performance.now()`;
   * infinite where there is none. Undefined for one that only reads what others asked for.
   */
  readonly endsAt?: number | undefined;
}

/** Options of `Readers`. */
export interface ReadersOptions {
  readonly tenant: string;
  /** How long the execution lives without a reader, milliseconds. */
  readonly keepMs: number;
  /** The longest that it can run, milliseconds: kept so long it is kept to its end. */
  readonly wallMs: number;
  readonly bounds: FollowerBounds;
  /** Followers by tenant, over all executions. */
  readonly followers: Tally;
  /** Ends the program. */
  readonly stop: (stop: Stop) => void;
}

/**
 * The readers of one execution, and what becomes of it when the last one leaves. Until its program has
 * started it is also bound by the deadlines of those who asked for it: nobody is there, and nobody who
 * was may still have time left, means that it ends.
 */
export class Readers {
  readonly #options: Omit<ReadersOptions, "stop">;
  #count = 0;
  #followers = 0;
  #leftAt = 0;
  /** The latest deadline of those who left before it. */
  #wantedUntil = Number.NEGATIVE_INFINITY;
  #hasStarted = false;
  #timer: Disposable | undefined;
  /** Undefined once the execution has ended: its records outlive the program. */
  #stop: ReadersOptions["stop"] | undefined;

  constructor({ stop, ...options }: ReadersOptions) {
    this.#options = options;
    this.#stop = stop;
  }

  /** Readers at this moment. */
  get count(): number {
    return this.#count;
  }

  /** The caller that started the execution reads it, until disposal. */
  join({ signal, endsAt = Infinity }: Attendance = {}): Disposable {
    return this.#seat({ signal, endsAt });
  }

  /** A follower reads it, until disposal. Throws a CodemodeError `overloaded` at a bound. */
  joinFollower(attendance: Attendance = {}): Disposable {
    const { tenant, bounds, followers } = this.#options;
    if (this.#followers >= bounds.perExecution) {
      throw tooMany("execution", `${bounds.perExecution} followers of one execution`);
    }
    if (followers.of(tenant) >= bounds.perTenant) {
      throw tooMany(tenantSubject(tenant), `${bounds.perTenant} followers of all executions`);
    }
    this.#followers += 1;
    followers.add(tenant, 1);
    const reader = this.#seat(attendance);
    return once(() => {
      this.#followers -= 1;
      followers.add(tenant, -1);
      reader[Symbol.dispose]();
    });
  }

  /** The program starts: from now on deadlines end calls only. */
  start(): void {
    this.#hasStarted = true;
    if (this.#count === 0) this.#keep();
  }

  /** The execution has ended: whoever leaves from now on has no effect on it. Idempotent. */
  close(): void {
    this.#stop = undefined;
    this.#clear();
  }

  #seat(attendance: Attendance): Disposable {
    this.#count += 1;
    this.#clear();
    return once(() => this.#leave(attendance));
  }

  #leave({ signal, endsAt = Number.NEGATIVE_INFINITY }: Attendance): void {
    this.#count -= 1;
    if (!isOutOfTime(signal)) this.#wantedUntil = Math.max(this.#wantedUntil, endsAt);
    if (this.#count > 0) return;
    this.#leftAt = performance.now();
    this.#keep();
  }

  /** Nobody reads: ends the execution now or when its time without a reader is over. */
  #keep(): void {
    const { keepMs, wallMs } = this.#options;
    const stop = this.#stop;
    this.#clear();
    if (stop === undefined) return;
    if (keepMs === 0) {
      stop(callerGone());
      return;
    }
    const keptUntil = keepMs < wallMs ? this.#leftAt + keepMs : Infinity;
    const wantedUntil = this.#hasStarted ? Infinity : this.#wantedUntil;
    const end = () => stop(wantedUntil < keptUntil ? deadlinesPassed() : readersGone(keepMs));
    const leftMs = Math.min(keptUntil, wantedUntil) - performance.now();
    if (leftMs <= 0) end();
    else if (leftMs < Infinity) this.#timer = startTimer(leftMs, end);
  }

  #clear(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}

function isOutOfTime(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && callEnded(signal.reason).kind === "deadline_exceeded";
}

function once(callback: () => void): Disposable {
  let isDone = false;
  return {
    [Symbol.dispose]() {
      if (isDone) return;
      isDone = true;
      callback();
    },
  };
}

function tooMany(subject: string, quota: string): CodemodeError {
  const whose = subject === "execution" ? "the execution has" : "the tenant has";
  return overloaded({ message: `${whose} too many followers`, subject, quota });
}
