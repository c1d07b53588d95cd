import type { CodemodeError } from "../shared/errors.ts";
import { overloaded, tenantSubject } from "../shared/overloaded.ts";
import { Tally } from "../shared/tally.ts";

/** Options of `Transit`. */
export interface TransitBounds {
  /** Of one tenant. */
  readonly tenantBytes: number;
  /** Of all tenants together. */
  readonly totalBytes: number;
  /** Calls of one tenant whose message has not come whole. */
  readonly tenantCalls: number;
}

/** What one call holds; disposing it gives everything back. */
export interface Hold extends Disposable {
  /**
   * Says whose bytes they are; before that they count for nobody. Throws `overloaded` where messages of
   * too many of the tenant's calls have not come whole.
   */
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
  /** Calls whose message has not come whole. */
  readonly #receiving = new Tally();

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
    const receiving = (bytes: number) => {
      if (!isOpen) return;
      if (owner !== undefined) {
        this.#held.add(owner, bytes - received);
        this.#receiving.add(owner, Number(bytes > 0) - Number(received > 0));
      }
      received = bytes;
    };
    const sending = (bytes: number) => {
      if (!isOpen) return;
      if (owner !== undefined) this.#held.add(owner, bytes - sent);
      sent = bytes;
    };
    return {
      claim: (tenant) => {
        owner ??= tenant;
        const { tenantCalls } = this.#bounds;
        if (this.#receiving.of(owner) >= tenantCalls) throw tooManyCalls(owner, tenantCalls);
      },
      receiving,
      sending,
      check: () => {
        if (owner !== undefined) this.#check(owner);
      },
      [Symbol.dispose]() {
        receiving(0);
        sending(0);
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

function tooManyCalls(tenant: string, most: number): CodemodeError {
  return overloaded({
    message: "the messages of too many calls have not come whole",
    subject: tenantSubject(tenant),
    quota: `${most} calls at once whose message has not come whole`,
  });
}
