import type { Dispatcher, Lease, LeaseRequest } from "../../src/dispatch/dispatcher.ts";
import type { Executor } from "../../src/executors/executor.ts";
import { createScriptedExecutor, forever } from "./scripted-executor.ts";

/** Bounds of a dispatcher under test. */
export interface DispatcherSetup {
  readonly slots: number;
  readonly queueSize: number;
  readonly tenantSlots: number;
  readonly executors: readonly Executor[];
  /** Whether several tenants share the slots. Default false. */
  readonly isShared?: boolean;
  /** Quotas of each tenant; what is left out is not limited. */
  readonly tenantQueueSize?: number;
  readonly tenantExecutionsPerMinute?: number;
  readonly tenantLogBytes?: number;
  readonly logBytes?: (tenant: string) => number;
}

/** How a dispatcher under test is made. */
export interface DispatcherUnderTest {
  create(setup: DispatcherSetup): Dispatcher | Promise<Dispatcher>;
}

/** A signal that does not abort. */
export const never = new AbortController().signal;

/** An executor of two programs, one of which runs until it is killed. */
export const python = () => createScriptedExecutor({ forever, four: () => 4 });

/** A dispatcher of two slots where nothing is said, which disposal ends. */
export async function setUpDispatcher(
  { create }: DispatcherUnderTest,
  setup: Partial<DispatcherSetup> = {},
) {
  const dispatcher = await create({
    slots: 2,
    queueSize: 10,
    tenantSlots: 2,
    executors: [python()],
    ...setup,
  });
  let made = 0;
  const acquire = (tenant: string, fields: Partial<LeaseRequest> = {}, signal = never) => {
    made += 1;
    const executionId = `e-${made}`;
    const request = { executionId, tenant, language: "python", memoryBytes: 1, ...fields };
    return dispatcher.acquire(request, signal);
  };
  return { dispatcher, acquire, [Symbol.asyncDispose]: () => dispatcher[Symbol.asyncDispose]() };
}

/** Acquires for tenants in order and notes who got a lease, in which order. */
export function inOrder(acquire: (tenant: string) => Promise<Lease>, tenants: readonly string[]) {
  const served: string[] = [];
  const leases: Promise<Lease>[] = tenants.map(async (tenant) => {
    const lease = await acquire(tenant);
    served.push(tenant);
    return lease;
  });
  // A dispatcher that is disposed refuses those who still wait.
  for (const lease of leases) lease.catch(() => {});
  return { served, leases };
}
