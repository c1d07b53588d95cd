import type { Executor } from "../executors/executor.ts";
import { onAbort } from "../shared/abort.ts";
import type { Dispatcher, Lease, LeaseRequest } from "./dispatcher.ts";
import { FairQueue } from "./fair-queue.ts";
import { createLease } from "./lease.ts";
import { createMemoryGauge } from "./memory.ts";
import { chooseExecutor } from "./placement.ts";
import { draining, overloaded } from "./refusals.ts";

/** Options of a local dispatcher. */
export interface LocalDispatcherOptions {
  /** In order of preference. They stay their creator's to dispose. */
  readonly executors: readonly Executor[];
  /** Executions admitted at once. */
  readonly slots: number;
  /** Requests that may wait. */
  readonly queueSize: number;
  /** Slots that one tenant may hold. */
  readonly tenantSlots: number;
  /** Name of this worker. Default "local". */
  readonly workerId?: string | undefined;
  /** Share of the memory in use, 0 to 1. Default: measured. */
  readonly memoryInUse?: (() => number) | undefined;
}

interface Waiter {
  readonly request: LeaseRequest;
  readonly granted: PromiseWithResolvers<Lease>;
}

// Above this share of memory nothing is admitted beside what runs.
const fullMemory = 0.8;
// How soon memory is looked at again when it alone keeps requests waiting.
const memoryRetryMs = 100;

/** A dispatcher over executors of this process. */
export function createLocalDispatcher(options: LocalDispatcherOptions): Dispatcher {
  return new LocalDispatcher(options);
}

class LocalDispatcher implements Dispatcher {
  readonly #options: LocalDispatcherOptions;
  readonly #memoryInUse: () => number;
  readonly #queue = new FairQueue<Waiter>();
  readonly #leases = new Set<Lease>();
  readonly #heldBy = new Map<string, number>();
  #inUse = 0;
  /** Mean time that a slot is held, milliseconds, newer leases weighing more. */
  #meanHoldMs = 100;
  #memoryTimer: NodeJS.Timeout | undefined;
  #isDraining = false;
  readonly #idle = Promise.withResolvers<void>();

  constructor(options: LocalDispatcherOptions) {
    this.#options = options;
    this.#memoryInUse = options.memoryInUse ?? createMemoryGauge();
  }

  async acquire(request: LeaseRequest, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#isDraining) throw draining();
    chooseExecutor(this.#options.executors, request.language);
    const waiter: Waiter = { request, granted: Promise.withResolvers() };
    this.#queue.push(request.tenant, waiter);
    this.#admit();
    if (this.#queue.size > this.#options.queueSize) this.#pushOut(request.tenant);
    using _ = onAbort(signal, (reason) => {
      if (this.#queue.remove(request.tenant, waiter)) waiter.granted.reject(reason);
    });
    return await waiter.granted.promise;
  }

  stats() {
    return { slots: this.#options.slots, inUse: this.#inUse, queued: this.#queue.size };
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    clearTimeout(this.#memoryTimer);
    for (const { granted } of this.#queue.clear()) granted.reject(draining());
    if (this.#inUse === 0) return;
    const over = Promise.withResolvers<void>();
    using _ = onAbort(signal, () => over.resolve());
    await Promise.race([this.#idle.promise, over.promise]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const drained = this.drain(new AbortController().signal);
    await Promise.all(Array.from(this.#leases, (lease) => lease[Symbol.asyncDispose]()));
    await drained;
  }

  /** Gives free slots to those whose turn it is. */
  #admit(): void {
    const { slots, tenantSlots } = this.#options;
    const mayServe = (tenant: string) => (this.#heldBy.get(tenant) ?? 0) < tenantSlots;
    while (this.#queue.size > 0 && this.#inUse < slots && this.#hasMemory()) {
      const waiter = this.#queue.take(mayServe);
      if (waiter === undefined) return;
      this.#grant(waiter);
    }
  }

  #hasMemory(): boolean {
    // One may always run: memory that others hold must not stop the service for good.
    if (this.#inUse === 0 || this.#memoryInUse() < fullMemory) return true;
    this.#memoryTimer ??= setTimeout(() => {
      this.#memoryTimer = undefined;
      this.#admit();
    }, memoryRetryMs);
    return false;
  }

  #grant({ request, granted }: Waiter): void {
    const { tenant, language } = request;
    try {
      const { executor, engine } = chooseExecutor(this.#options.executors, language);
      const startedAt = performance.now();
      const lease = createLease({
        workerId: this.#options.workerId ?? "local",
        engine,
        executor,
        onFree: () => this.#free(lease, tenant, performance.now() - startedAt),
      });
      this.#leases.add(lease);
      this.#inUse += 1;
      this.#heldBy.set(tenant, (this.#heldBy.get(tenant) ?? 0) + 1);
      granted.resolve(lease);
    } catch (error) {
      // The engine went down while the request waited.
      granted.reject(error);
    }
  }

  #free(lease: Lease, tenant: string, heldMs: number): void {
    this.#leases.delete(lease);
    this.#inUse -= 1;
    this.#meanHoldMs += (heldMs - this.#meanHoldMs) / 16;
    const held = (this.#heldBy.get(tenant) ?? 0) - 1;
    if (held > 0) this.#heldBy.set(tenant, held);
    else this.#heldBy.delete(tenant);
    if (this.#isDraining && this.#inUse === 0) this.#idle.resolve();
    this.#admit();
  }

  /** Refuses the newest of the tenant that has most waiting, so that a flood keeps nobody else out. */
  #pushOut(newcomer: string): void {
    const waiter = this.#queue.newestOfLongest(newcomer);
    if (waiter === undefined) return;
    const { tenant } = waiter.request;
    this.#queue.remove(tenant, waiter);
    const { slots, queueSize, tenantSlots } = this.#options;
    waiter.granted.reject(
      overloaded({
        tenant,
        isTenantFull: (this.#heldBy.get(tenant) ?? 0) >= tenantSlots,
        slots,
        queueSize,
        tenantSlots,
        waitMs: (this.#meanHoldMs * (queueSize + 1)) / slots,
      }),
    );
  }
}
