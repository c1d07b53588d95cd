import { CodemodeError } from "../shared/errors.ts";

/** Options of `Transit`. */
export interface TransitBounds {
  /** Of one tenant. */
  readonly tenantBytes: number;
  /** Of all tenants together. */
  readonly totalBytes: number;
}

/** What one call holds; disposing it gives everything back. */
export interface Hold extends Disposable {
  /** Says whose bytes they are; before that they count for nobody. */
  claim(tenant: string): void;
  /** Bytes of a message that has not come whole. */
  receiving(bytes: number): void;
  /** Bytes of an answer that the caller has not taken. */
  sending(bytes: number): void;
  /** Throws `overloaded` where the tenant, or everybody, holds too much already. */
  check(): void;
}

/** Bytes on their way between callers and the service that this process holds, by tenant. */
export class Transit {
  readonly #bounds: TransitBounds;
  readonly #byTenant = new Map<string, number>();
  #total = 0;

  constructor(bounds: TransitBounds) {
    this.#bounds = bounds;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#total;
  }

  /** Starts the account of a call. */
  open(): Hold {
    let owner: string | undefined;
    let received = 0;
    let sent = 0;
    let isOpen = true;
    const change = (by: number) => {
      if (owner !== undefined && by !== 0) this.#change(owner, by);
    };
    return {
      claim(tenant) {
        owner ??= tenant;
      },
      receiving(bytes) {
        if (!isOpen) return;
        change(bytes - received);
        received = bytes;
      },
      sending(bytes) {
        if (!isOpen) return;
        change(bytes - sent);
        sent = bytes;
      },
      check: () => {
        if (owner !== undefined) this.#check(owner);
      },
      [Symbol.dispose]() {
        if (isOpen) change(-received - sent);
        isOpen = false;
      },
    };
  }

  #change(tenant: string, by: number): void {
    this.#total += by;
    const bytes = (this.#byTenant.get(tenant) ?? 0) + by;
    if (bytes > 0) this.#byTenant.set(tenant, bytes);
    else this.#byTenant.delete(tenant);
  }

  #check(tenant: string): void {
    const { tenantBytes, totalBytes } = this.#bounds;
    const isTenantFull = (this.#byTenant.get(tenant) ?? 0) > tenantBytes;
    if (!isTenantFull && this.#total <= totalBytes) return;
    const bytes = isTenantFull ? tenantBytes : totalBytes;
    throw new CodemodeError(
      "overloaded",
      "too many messages are half received, or answers not taken",
      {
        quota: [
          {
            subject: isTenantFull ? `tenant:${tenant}` : "service",
            description: `${bytes} bytes of messages on their way`,
          },
        ],
        retryAfterMs: 1_000,
      },
    );
  }
}
