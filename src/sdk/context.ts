import { AsyncLocalStorage } from "node:async_hooks";

/** A value that the context can hold: JSON, without integers beyond 2^53. */
export type ContextValue =
  | null
  | boolean
  | number
  | string
  | readonly ContextValue[]
  | { readonly [key: string]: ContextValue | undefined };

/** Variables of a tenant, such as `client_id`; the program reads them as `context`. Those that are undefined are left out. */
export type ContextVariables = { readonly [key: string]: ContextValue | undefined };

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

/**
 * The variables of the `withContext` calls around this code; in a tool's handler those of the
 * execution that called it, however deep. Empty outside of any.
 */
export function getContext(): ContextVariables {
  return storage.getStore() ?? none;
}

/** @internal Runs a function under exactly these variables, whatever is around it. */
export function inContext<R>(variables: ContextVariables, fn: () => R): R {
  return storage.run(variables, fn);
}

/** @internal A frozen copy, through and through: what one reader does to it no other one sees. */
export function sealContext(variables: ContextVariables): ContextVariables {
  return seal(variables) as ContextVariables;
}

function seal(value: ContextValue | undefined): ContextValue | undefined {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(seal)) as ContextValue;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => [key, seal(member)] as const);
  return Object.freeze(Object.fromEntries(members));
}
