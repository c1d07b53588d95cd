import { createContextKey } from "@connectrpc/connect";

/** The HTTP exchange under one RPC, as far as the layers above may touch it. */
export interface Exchange {
  /**
   * Sends response headers; resolves when they are on their way whatever becomes of this process.
   * Idempotent; without effect where the protocol has no need of it.
   */
  commit(): Promise<void>;
  /** Says which response headers the RPC will have, before it runs. */
  setHeaders(headers: Headers): void;
}

/** The whole of what one call has to do with its connection. */
export interface CallExchange extends Exchange {
  /** Says whose call it is. Throws `overloaded` where the tenant's connections or bytes are too many. */
  admit(tenant: string): void;
  /** Says that the call is refused: it shows no key, or there is no room for it. */
  refused(): void;
}

/** An exchange whose protocol needs no commitment. */
export const noExchange: Exchange = { async commit() {}, setHeaders() {} };

/** Key under which the adapter keeps the `CallExchange`. */
export const exchangeKey = createContextKey<CallExchange>(
  { ...noExchange, admit() {}, refused() {} },
  {
    description: "codemode.Exchange",
  },
);
