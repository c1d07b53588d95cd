import { overloaded, tenantSubject } from "../shared/overloaded.ts";
import { Tally } from "../shared/tally.ts";

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
  /** Bytes of messages that have not come whole, or been read. */
  receiving(bytes: number): void;
  /** Bytes of an answer that the caller has not taken. */
  sending(bytes: number): void;
  /** Throws `overloaded` where the tenant, or everybody, holds too much already. */
  check(): void;
}

/** Bytes on their way between callers and the service that this process holds, by tenant. */
export class Transit {
  readonly #bounds: TransitBounds;
  readonly #held = new Tally();

  constructor(bounds: TransitBounds) {
    this.#bounds = bounds;
  }

  /** The most of all tenants together. */
  get totalBytes(): number {
    return this.#bounds.totalBytes;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#held.total;
  }

  /** Starts the account of a call. */
  open(): Hold {
    let owner: string | undefined;
    let received = 0;
    let sent = 0;
    let isOpen = true;
    const change = (by: number) => {
      if (owner !== undefined && by !== 0) this.#held.add(owner, by);
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

  #check(tenant: string): void {
    const { tenantBytes, totalBytes } = this.#bounds;
    const isTenantFull = this.#held.of(tenant) > tenantBytes;
    if (!isTenantFull && this.#held.total <= totalBytes) return;
    throw overloaded({
      message: "too many messages are half received, or answers not taken",
      ...(isTenantFull ? { subject: tenantSubject(tenant) } : {}),
      quota: `${isTenantFull ? tenantBytes : totalBytes} bytes of messages on their way`,
    });
  }
}
