import { startTimer } from "../shared/abort.ts";
import type { CodemodeError } from "../shared/errors.ts";
import { overloaded, tenantSubject } from "../shared/overloaded.ts";
import type { Stop } from "../shared/stop.ts";
import type { Tally } from "../shared/tally.ts";
import { callerGone, readersGone } from "./endings.ts";

/** Bounds of followers, of which readers that started an execution are none. */
export interface FollowerBounds {
  /** Of one execution. */
  readonly perExecution: number;
  /** Of all executions of one tenant. */
  readonly perTenant: number;
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

/** The readers of one execution, and what becomes of it when the last one leaves. */
export class Readers {
  readonly #options: Omit<ReadersOptions, "stop">;
  #count = 0;
  #followers = 0;
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
  join(): Disposable {
    this.#count += 1;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    return once(() => this.#leave());
  }

  /** A follower reads it, until disposal. Throws a CodemodeError `overloaded` at a bound. */
  joinFollower(): Disposable {
    const { tenant, bounds, followers } = this.#options;
    if (this.#followers >= bounds.perExecution) {
      throw tooMany("execution", `${bounds.perExecution} followers of one execution`);
    }
    if (followers.of(tenant) >= bounds.perTenant) {
      throw tooMany(tenantSubject(tenant), `${bounds.perTenant} followers of all executions`);
    }
    this.#followers += 1;
    followers.add(tenant, 1);
    const reader = this.join();
    return once(() => {
      this.#followers -= 1;
      followers.add(tenant, -1);
      reader[Symbol.dispose]();
    });
  }

  /** The execution has ended: whoever leaves from now on has no effect on it. Idempotent. */
  close(): void {
    this.#stop = undefined;
    this.#timer?.[Symbol.dispose]();
  }

  #leave(): void {
    this.#count -= 1;
    const { keepMs, wallMs } = this.#options;
    const stop = this.#stop;
    if (this.#count > 0 || stop === undefined) return;
    if (keepMs === 0) stop(callerGone());
    else if (keepMs < wallMs) this.#timer = startTimer(keepMs, () => stop(readersGone(keepMs)));
  }
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
