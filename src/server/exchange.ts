import { createContextKey } from "@connectrpc/connect";

/** The HTTP exchange under one RPC, as far as the layers above may touch it. */
export interface Exchange {
  /** Sends response headers now. Idempotent; without effect where the protocol has no need of it. */
  commit(): void;
  /** Says which response headers the RPC will have, before it runs. */
  setHeaders(headers: Headers): void;
}

/** An exchange whose protocol needs no commitment. */
export const noExchange: Exchange = { commit() {}, setHeaders() {} };

/** Key under which the adapter keeps the `Exchange`. */
export const exchangeKey = createContextKey<Exchange>(noExchange, {
  description: "codemode.Exchange",
});
