import { startTimer } from "../shared/abort.ts";
import { Tally } from "../shared/tally.ts";

/** How long and how much of ended executions is kept; the oldest go first. */
export interface RetentionBounds {
  /** Milliseconds from its end. */
  readonly endedForMs: number;
  /** Logs of one tenant, bytes. A log that is larger alone is not kept. */
  readonly tenantBytes: number;
  /** Logs of all tenants, bytes. */
  readonly totalBytes: number;
}

/** What retention has to know of an ended execution. */
export interface Ended {
  readonly executionId: string;
  readonly tenant: string;
  /** What its log holds, bytes. */
  readonly bytes: number;
}

/** Options of `EndedExecutions`. */
export interface EndedExecutionsOptions<T extends Ended> extends RetentionBounds {
  /** Told once of each that is kept no longer. */
  readonly forget: (execution: T) => void;
}

// What an execution takes up beside its log: its summary, and its places in the indexes.
const summaryBytes = 2 * 1024;

/**
 * The executions that have ended and are still kept, oldest first: bounded in age, and in bytes per
 * tenant and in all. Disposing it keeps the process from waiting for their time; they stay.
 */
export class EndedExecutions<T extends Ended> implements Disposable {
  readonly #options: EndedExecutionsOptions<T>;
  readonly #kept = new Map<string, { readonly execution: T; readonly endedAt: number }>();
  readonly #keptOf = new Map<string, Set<T>>();
  readonly #bytes = new Tally();
  #timer: Disposable | undefined;

  constructor(options: EndedExecutionsOptions<T>) {
    this.#options = options;
  }

  /** What is kept of all tenants, bytes. */
  get bytes(): number {
    return this.#bytes.total;
  }

  /** Keeps one more, and forgets what is then beyond a bound. */
  add(execution: T): void {
    const { executionId, tenant } = execution;
    const { tenantBytes, totalBytes, forget } = this.#options;
    if (costOf(execution) > Math.min(tenantBytes, totalBytes)) {
      forget(execution);
      return;
    }
    this.#kept.set(executionId, { execution, endedAt: performance.now() });
    const own = this.#keptOf.get(tenant) ?? new Set();
    this.#keptOf.set(tenant, own.add(execution));
    this.#bytes.add(tenant, costOf(execution));
    while (this.#bytes.of(tenant) > tenantBytes && this.#drop(first(own)));
    while (this.#bytes.total > totalBytes && this.forgetOldest());
    this.#timer ??= this.#startTimer();
  }

  /** Forgets the one that ended first; false when there is none. */
  forgetOldest(): boolean {
    return this.#drop(first(this.#kept.values())?.execution);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #drop(execution: T | undefined): boolean {
    if (execution === undefined) return false;
    const { executionId, tenant } = execution;
    this.#kept.delete(executionId);
    const own = this.#keptOf.get(tenant);
    own?.delete(execution);
    if (own?.size === 0) this.#keptOf.delete(tenant);
    this.#bytes.add(tenant, -costOf(execution));
    this.#options.forget(execution);
    return true;
  }

  #startTimer(): Disposable | undefined {
    const oldest = first(this.#kept.values());
    if (oldest === undefined) return undefined;
    const dueMs = oldest.endedAt + this.#options.endedForMs - performance.now();
    return startTimer(Math.max(dueMs, 1), () => this.#expire());
  }

  #expire(): void {
    const latest = performance.now() - this.#options.endedForMs;
    for (const { execution, endedAt } of this.#kept.values()) {
      if (endedAt > latest) break;
      this.#drop(execution);
    }
    this.#timer = this.#startTimer();
  }
}

function costOf({ bytes }: Ended): number {
  return bytes + summaryBytes;
}

function first<V>(values: Iterable<V>): V | undefined {
  for (const value of values) return value;
  return undefined;
}
