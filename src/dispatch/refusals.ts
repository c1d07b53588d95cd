import { CodemodeError } from "../shared/errors.ts";

/** What an `overloaded` refusal tells. */
export interface OverloadOptions {
  readonly tenant: string;
  /** The tenant's own slots are all taken, not only the service's. */
  readonly isTenantFull: boolean;
  readonly slots: number;
  readonly queueSize: number;
  readonly tenantSlots: number;
  /** When a slot can be expected, milliseconds. */
  readonly waitMs: number;
}

/** The refusal of a request for which there is neither a slot nor a place in the queue. */
export function overloaded(options: OverloadOptions): CodemodeError {
  const { tenant, isTenantFull, slots, queueSize, tenantSlots, waitMs } = options;
  const quota = isTenantFull
    ? { subject: `tenant:${tenant}`, description: `${tenantSlots} executions at once` }
    : { subject: "service", description: `${slots} executions at once, ${queueSize} waiting` };
  return new CodemodeError(
    "overloaded",
    isTenantFull ? "all of the tenant's slots are taken" : "all slots are taken",
    { quota: [quota], retryAfterMs: Math.round(Math.min(Math.max(waitMs, 50), 5_000)) },
  );
}

/** The refusal of a request to a dispatcher that drains. */
export function draining(): CodemodeError {
  return new CodemodeError("unavailable", "the service is draining", { retryAfterMs: 1_000 });
}
