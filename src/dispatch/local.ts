import type { Executor } from "../executors/executor.ts";
import { onAbort } from "../shared/abort.ts";
import type { CodemodeError } from "../shared/errors.ts";
import { FairQueue, type Place } from "../shared/fair-queue.ts";
import { overloaded, tenantSubject } from "../shared/overloaded.ts";
import { Shares } from "../shared/shares.ts";
import type { Dispatcher, Lease, LeaseRequest } from "./dispatcher.ts";
import { createLease } from "./lease.ts";
import { createMemoryGauge } from "./memory.ts";
import { chooseExecutor } from "./placement.ts";
import { Quotas, type TenantQuotas } from "./quotas.ts";
import { draining, waitOf } from "./refusals.ts";

/** Options of a local dispatcher. */
export interface LocalDispatcherOptions extends TenantQuotas {
  /** In order of preference. They stay their creator's to dispose. */
  readonly executors: readonly Executor[];
  /** Executions admitted at once. */
  readonly slots: number;
  /** Requests that may wait. */
  readonly queueSize: number;
  /** Slots that one tenant may hold. */
  readonly tenantSlots: number;
  /** Whether several tenants share the slots: the last ones are for those that hold few. Default false. */
  readonly isShared?: boolean | undefined;
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
  readonly #quotas: Quotas;
  readonly #slots: Shares;
  readonly #queue = new FairQueue<Waiter>();
  readonly #leases = new Set<Lease>();
  /** Mean time that a slot is held, milliseconds, newer leases weighing more. */
  #meanHoldMs = 100;
  #memoryTimer: NodeJS.Timeout | undefined;
  #isDraining = false;
  readonly #idle = Promise.withResolvers<void>();

  constructor(options: LocalDispatcherOptions) {
    this.#options = options;
    const { slots, tenantSlots, isShared, memoryInUse = createMemoryGauge() } = options;
    this.#memoryInUse = memoryInUse;
    this.#quotas = new Quotas(options);
    this.#slots = new Shares({ places: slots, perTenant: tenantSlots, isShared });
  }

  async acquire(request: LeaseRequest, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#isDraining) throw draining();
    chooseExecutor(this.#options.executors, request.language);
    const { tenant } = request;
    this.#quotas.spend(tenant);
    const waiter: Waiter = { request, granted: Promise.withResolvers() };
    const place = this.#queue.push(tenant, waiter);
    // Whoever else could be served has been: only this tenant has something new to ask for.
    if (this.#slots.mayTake(tenant)) this.#admit();
    this.#bound(place);
    using _ = onAbort(signal, (reason) => {
      if (this.#queue.remove(place)) waiter.granted.reject(reason);
    });
    try {
      return await waiter.granted.promise;
    } catch (error) {
      this.#quotas.giveBack(tenant);
      throw error;
    }
  }

  stats() {
    return { slots: this.#options.slots, inUse: this.#slots.held, queued: this.#queue.size };
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    clearTimeout(this.#memoryTimer);
    for (const { granted } of this.#queue.clear()) granted.reject(draining());
    if (this.#slots.held === 0) return;
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
    while (this.#queue.size > 0 && this.#slots.free > 0 && this.#hasMemory()) {
      const waiter = this.#queue.take((tenant) => this.#slots.mayTake(tenant));
      if (waiter === undefined) return;
      this.#grant(waiter);
    }
  }

  #hasMemory(): boolean {
    // One may always run: memory that others hold must not stop the service for good.
    if (this.#slots.held === 0 || this.#memoryInUse() < fullMemory) return true;
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
      this.#slots.take(tenant);
      granted.resolve(lease);
    } catch (error) {
      // The engine went down while the request waited.
      granted.reject(error);
    }
  }

  #free(lease: Lease, tenant: string, heldMs: number): void {
    this.#leases.delete(lease);
    this.#slots.giveBack(tenant);
    this.#meanHoldMs += (heldMs - this.#meanHoldMs) / 16;
    if (this.#isDraining && this.#slots.held === 0) this.#idle.resolve();
    this.#admit();
  }

  /** Refuses one request too many: the tenant's own that has just come, or of a longer line. */
  #bound(place: Place<Waiter>): void {
    const { queueSize } = this.#options;
    const { tenant } = place;
    const { queueSize: ownSize } = this.#quotas;
    // A part as large as the whole is no part: then the queue itself is what is full.
    if (ownSize < queueSize && this.#queue.sizeOf(tenant) > ownSize) {
      this.#refuse(place, this.#lineFull(tenant));
    } else if (this.#queue.size > queueSize) {
      // Of the tenant that has most waiting, so that a flood keeps nobody else out.
      const newest = this.#queue.newestOfLongest(tenant) ?? place;
      this.#refuse(newest, this.#queueFull(newest.tenant));
    }
  }

  #refuse(place: Place<Waiter>, error: CodemodeError): void {
    if (this.#queue.remove(place)) place.item.granted.reject(error);
  }

  #lineFull(tenant: string): CodemodeError {
    const { queueSize: size } = this.#quotas;
    const { tenantSlots: slots } = this.#options;
    return overloaded({
      message: "the tenant's part of the queue is full",
      subject: tenantSubject(tenant),
      quota: `${size} executions waiting`,
      waitMs: waitOf({ size, slots, meanHoldMs: this.#meanHoldMs }),
    });
  }

  #queueFull(tenant: string): CodemodeError {
    const { slots, queueSize: size } = this.#options;
    const waitMs = waitOf({ size, slots, meanHoldMs: this.#meanHoldMs });
    if (this.#slots.hasItsShare(tenant)) {
      const quota = `${this.#slots.heldBy(tenant)} executions at once`;
      const subject = tenantSubject(tenant);
      return overloaded({ message: "all of the tenant's slots are taken", subject, quota, waitMs });
    }
    const quota = `${slots} executions at once, ${size} waiting`;
    return overloaded({ message: "all slots are taken", quota, waitMs });
  }
}
