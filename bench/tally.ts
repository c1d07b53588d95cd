import { CodemodeError, type ExecutionResult } from "../src/index.ts";
import type { LoadReport } from "./load-process.ts";

/** Counts what comes of calls. */
export class Tally {
  #ends: Record<string, number> = {};
  #refusalMs: number[] = [];
  #withoutRetryInfo = 0;
  #startedAt = performance.now();

  /** Waits for a call; rejects for what is neither an end of a program, a refusal nor a cancellation. */
  async take(call: () => Promise<ExecutionResult<unknown>>): Promise<void> {
    const startedAt = performance.now();
    try {
      const result = await call();
      this.#end(result.status === "completed" ? "completed" : result.error.reason);
    } catch (error) {
      if (!CodemodeError.is(error)) throw error;
      if (error.kind === "cancelled") this.#end("cancelled");
      else if (error.kind === "overloaded") {
        this.#refusalMs.push(performance.now() - startedAt);
        if (error.retryAfterMs === undefined) this.#withoutRetryInfo += 1;
      } else throw error;
    }
  }

  /** Calls that were refused so far. */
  get refused(): number {
    return this.#refusalMs.length;
  }

  /** Begins anew. */
  reset(): void {
    this.#ends = {};
    this.#refusalMs = [];
    this.#withoutRetryInfo = 0;
    this.#startedAt = performance.now();
  }

  /** All of it since the beginning. */
  total(): LoadReport {
    return {
      seconds: (performance.now() - this.#startedAt) / 1_000,
      ends: this.#ends,
      refusalMs: this.#refusalMs,
      withoutRetryInfo: this.#withoutRetryInfo,
    };
  }

  #end(how: string): void {
    this.#ends[how] = (this.#ends[how] ?? 0) + 1;
  }
}
