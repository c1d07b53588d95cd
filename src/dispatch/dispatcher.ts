import type { GuestRun, Program } from "../executors/executor.ts";

/** What a dispatcher needs to know to place an execution; no code, no context. */
export interface LeaseRequest {
  readonly executionId: string;
  readonly tenant: string;
  readonly language: string;
  readonly memoryBytes: number;
}

/** A slot on a worker, for one run. Disposing it ends the run and frees the slot. */
export interface Lease extends AsyncDisposable {
  readonly workerId: string;
  /** Name of the engine that will run the program. */
  readonly engine: string;
  /** Starts the program; once per lease. */
  run(program: Program, signal: AbortSignal): GuestRun;
}

/** Numbers of a dispatcher, at this moment. */
export interface DispatchStats {
  readonly slots: number;
  readonly inUse: number;
  readonly queued: number;
}

/** Places executions on workers, fairly over tenants. The signal is the only deadline. */
export interface Dispatcher extends AsyncDisposable {
  /**
   * Waits for a slot. Rejects with a CodemodeError: `overloaded` with `retryAfterMs` and quota
   * violations when the queue or the tenant's share is full, `unsupported` when no engine runs the
   * language, `unavailable` when the one that does is being started again, or when draining; with
   * `signal.reason` when the signal aborts.
   */
  acquire(request: LeaseRequest, signal: AbortSignal): Promise<Lease>;
  stats(): DispatchStats;
  /** Refuses new requests and resolves when the last lease is given back, or the signal aborts. */
  drain(signal: AbortSignal): Promise<void>;
}
