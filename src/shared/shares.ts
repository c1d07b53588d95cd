import { Tally } from "./tally.ts";

/** Options of `Shares`. */
export interface SharesOptions {
  readonly places: number;
  /** Places that one tenant may hold. Default: all. */
  readonly perTenant?: number | undefined;
  /** Places that each tenant may take whatever others hold, beyond all places too. Default: none. */
  readonly ownPlaces?: number | undefined;
  /** Whether the last places are for tenants that hold few. Default false: anybody may have them. */
  readonly isShared?: boolean | undefined;
}

// One tenant alone may hold eight ninths, two of them eight seventeenths each: however many want more
// than there is, some places stay for one that comes after them.
const timesFree = 8;

/** Places that tenants hold, and how many of them each may have. */
export class Shares {
  readonly #options: SharesOptions;
  readonly #held = new Tally();

  constructor(options: SharesOptions) {
    this.#options = options;
  }

  /** Places held by all tenants together. */
  get held(): number {
    return this.#held.total;
  }

  /** Places that nobody holds; below 0 where more were taken at once than there were. */
  get free(): number {
    return this.#options.places - this.held;
  }

  heldBy(tenant: string): number {
    return this.#held.of(tenant);
  }

  /** Whether there is a place for one more of the tenant's. */
  mayTake(tenant: string): boolean {
    const { ownPlaces = 0 } = this.#options;
    if (this.heldBy(tenant) < ownPlaces) return true;
    return this.free > 0 && !this.hasItsShare(tenant);
  }

  /**
   * Whether a tenant holds all that it may, whether or not places are free. Where places are shared, it
   * may hold at most eight times as many as are free.
   */
  hasItsShare(tenant: string): boolean {
    const { places, perTenant = places, isShared = false } = this.#options;
    const held = this.heldBy(tenant);
    if (held >= perTenant) return true;
    return isShared && this.free > 0 && held >= timesFree * this.free;
  }

  take(tenant: string, count = 1): void {
    this.#held.add(tenant, count);
  }

  giveBack(tenant: string, count = 1): void {
    this.#held.add(tenant, -count);
  }
}
