import type { Execution } from "../shared/model.ts";

/** Options of `FinishedExecutions`. */
export interface FinishedOptions {
  readonly maxCount: number;
  readonly maxAgeMs: number;
  /** Payload of all records together, bytes. */
  readonly maxBytes: number;
  readonly now?: (() => number) | undefined;
}

interface FinishedRecord {
  readonly tenant: string;
  readonly execution: Execution;
  readonly bytes: number;
  readonly finishedAt: number;
}

/** Remembers how executions ended, for a while: bounded in number, age and size, oldest out first. */
export class FinishedExecutions {
  readonly #options: FinishedOptions;
  readonly #now: () => number;
  readonly #records = new Map<string, FinishedRecord>();
  #bytes = 0;

  constructor(options: FinishedOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  add(tenant: string, execution: Execution): void {
    const bytes = payloadBytes(execution);
    this.#records.set(execution.executionId, {
      tenant,
      execution,
      bytes,
      finishedAt: this.#now(),
    });
    this.#bytes += bytes;
    this.#forgetOldest();
  }

  /** The execution, when it belongs to the tenant and is still remembered. */
  get(executionId: string, tenant: string): Execution | undefined {
    this.#forgetOldest();
    const record = this.#records.get(executionId);
    return record?.tenant === tenant ? record.execution : undefined;
  }

  #forgetOldest(): void {
    const { maxCount, maxAgeMs, maxBytes } = this.#options;
    const oldestAllowed = this.#now() - maxAgeMs;
    for (const [executionId, { bytes, finishedAt }] of this.#records) {
      const isWithin = this.#records.size <= maxCount && this.#bytes <= maxBytes;
      if (isWithin && finishedAt >= oldestAllowed) return;
      this.#records.delete(executionId);
      this.#bytes -= bytes;
    }
  }
}

// UTF-16 units times two: an upper bound of what the strings hold, and no scan of them.
function payloadBytes({ outcome }: Execution): number {
  if (outcome === undefined) return 0;
  if (outcome.status === "failed") {
    return 2 * (outcome.error.message.length + outcome.error.traceback.length);
  }
  return 2 * ((outcome.value.json?.length ?? 0) + outcome.value.text.length);
}
