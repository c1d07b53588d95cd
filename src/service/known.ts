import type { Execution } from "../shared/model.ts";

/** An execution as the index holds it. */
export interface Known {
  readonly executionId: string;
  readonly tenant: string;
  summary(): Execution;
}

/** Which executions a page shows. */
export interface ListFilter {
  readonly state: Execution["state"] | undefined;
  readonly correlationId: string | undefined;
  /** Only those that were made before this place; undefined for all. */
  readonly before: number | undefined;
}

/** An execution of a list. */
export interface Listed {
  readonly summary: Execution;
  /** Its place in the order of making; rises within a tenant, and tells nothing but the time. */
  readonly place: number;
}

interface Entry<T> {
  execution: T;
  readonly place: number;
}

/** The executions that this instance knows, running and ended, each tenant's in the order of making. */
export class KnownExecutions<T extends Known> {
  readonly #byTenant = new Map<string, Map<string, Entry<T>>>();
  #count = 0;
  #lastPlace = 0;

  /** How many are known. */
  get count(): number {
    return this.#count;
  }

  /** The execution, when it is known and the tenant's. */
  get(executionId: string, tenant: string): T | undefined {
    return this.#byTenant.get(tenant)?.get(executionId)?.execution;
  }

  /** Adds an execution, or puts it in the place of the one with its id. */
  set(execution: T): void {
    const { executionId, tenant } = execution;
    const own = this.#byTenant.get(tenant) ?? new Map<string, Entry<T>>();
    this.#byTenant.set(tenant, own);
    const entry = own.get(executionId);
    if (entry !== undefined) {
      entry.execution = execution;
      return;
    }
    this.#lastPlace = Math.max(Date.now() * 1_000, this.#lastPlace + 1);
    own.set(executionId, { execution, place: this.#lastPlace });
    this.#count += 1;
  }

  delete({ executionId, tenant }: Known): void {
    const own = this.#byTenant.get(tenant);
    if (own?.delete(executionId)) this.#count -= 1;
    if (own?.size === 0) this.#byTenant.delete(tenant);
  }

  /** The tenant's executions that a filter lets through, newest first. */
  *list(tenant: string, filter: ListFilter): Generator<Listed> {
    const { state, correlationId, before = Infinity } = filter;
    const entries = Array.from(this.#byTenant.get(tenant)?.values() ?? []);
    for (const { execution, place } of entries.reverse()) {
      if (place >= before) continue;
      const summary = execution.summary();
      if (state !== undefined && summary.state !== state) continue;
      if (correlationId !== undefined && summary.correlationId !== correlationId) continue;
      yield { summary, place };
    }
  }
}
