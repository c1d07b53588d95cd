import { overloaded, tenantSubject } from "../shared/overloaded.ts";
import { TenantRates } from "./rate.ts";

/** What a tenant may use beside slots; what is left out is not limited. */
export interface TenantQuotas {
  /** Requests of one tenant that may wait. */
  readonly tenantQueueSize?: number | undefined;
  /** Executions that one tenant may start in a minute; 0 for any number. */
  readonly tenantExecutionsPerMinute?: number | undefined;
  /** Bytes in the logs of one tenant's running executions above which no more are admitted. */
  readonly tenantLogBytes?: number | undefined;
  /** Bytes in the logs of a tenant's running executions, now. Must be cheap. */
  readonly logBytes?: ((tenant: string) => number) | undefined;
  /** Clock of the rate, milliseconds. Default: the process's own. */
  readonly now?: (() => number) | undefined;
}

// Nobody knows when a program ends that holds much; this is how soon it is worth a look.
const logRetryMs = 1_000;

/** The quotas of tenants that are looked at before a request may wait at all. */
export class Quotas {
  readonly #options: TenantQuotas;
  readonly #rates: TenantRates;

  constructor(options: TenantQuotas) {
    this.#options = options;
    const { tenantExecutionsPerMinute = 0, now } = options;
    this.#rates = new TenantRates({ perMinute: tenantExecutionsPerMinute, now });
  }

  /** Requests of one tenant that may wait. */
  get queueSize(): number {
    return this.#options.tenantQueueSize ?? Number.POSITIVE_INFINITY;
  }

  /** Spends what one execution costs. Throws a CodemodeError `overloaded` where there is too little. */
  spend(tenant: string): void {
    const { tenantLogBytes, logBytes, tenantExecutionsPerMinute } = this.#options;
    if (tenantLogBytes !== undefined && (logBytes?.(tenant) ?? 0) >= tenantLogBytes) {
      throw overloaded({
        message: "the logs of the tenant's running executions are too large together",
        subject: tenantSubject(tenant),
        quota: `${tenantLogBytes} bytes in the logs of running executions`,
        waitMs: logRetryMs,
      });
    }
    const waitMs = this.#rates.take(tenant);
    if (waitMs === 0) return;
    throw overloaded({
      message: "the tenant has used up its executions of this minute",
      subject: tenantSubject(tenant),
      quota: `${tenantExecutionsPerMinute} executions a minute`,
      waitMs,
    });
  }

  /** Gives back what was spent on an execution that got no slot. */
  giveBack(tenant: string): void {
    this.#rates.giveBack(tenant);
  }
}
