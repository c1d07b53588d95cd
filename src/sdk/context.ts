import { AsyncLocalStorage } from "node:async_hooks";

/** A value that the context can hold: JSON, without integers beyond 2^53. */
export type ContextValue =
  | null
  | boolean
  | number
  | string
  | readonly ContextValue[]
  | { readonly [key: string]: ContextValue };

/** Variables of a tenant, such as `client_id`; the program reads them as `context`. */
export type ContextVariables = { readonly [key: string]: ContextValue };

const none: ContextVariables = Object.freeze({});
const storage = new AsyncLocalStorage<ContextVariables>();

/**
 * Runs a function under variables that every request made inside it carries, across awaits, timers
 * and callbacks, through any client. Nested calls merge key by key, the inner value winning. Returns
 * what the function returns.
 */
export function withContext<R>(variables: ContextVariables, fn: () => R): R {
  return storage.run(Object.freeze({ ...getContext(), ...variables }), fn);
}

/** The variables of the `withContext` calls around this code; empty outside of any. */
export function getContext(): ContextVariables {
  return storage.getStore() ?? none;
}
