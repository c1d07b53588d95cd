import {
  apply,
  create,
  defineProperty,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hidden,
  itemsOf,
  keys,
  NewTypeError,
  NewWeakMap,
  setPrototypeOf,
  toText,
  weakGet,
  weakSet,
} from "./primordials.ts";

// The library's own takes text only, and knows nothing of the URL that it belongs to.
const Native = URLSearchParams;
const prototype = Native.prototype as unknown as Record<string | symbol, unknown>;
const { append, delete: remove, forEach, toString: write } = Native.prototype;
const search = getOwnPropertyDescriptor(URL.prototype, "search") as Required<PropertyDescriptor>;
const mutators = ["append", "delete", "set", "sort"];
const readers = ["get", "getAll", "has", "forEach", "entries", "keys", "values", "toString"];

interface Link {
  readonly url: URL;
  /** The query that both have had last. */
  query: string;
}

const links = new NewWeakMap<object, Link>();
const ofUrl = new NewWeakMap<URL, URLSearchParams>();

function linkOf(params: unknown): Link | undefined {
  return weakGet(links, params as object) as Link | undefined;
}

/** Takes over what has become of the URL's query. */
function read(params: URLSearchParams): void {
  const link = linkOf(params);
  if (link === undefined) return;
  const query = apply(search.get, link.url, []) as string;
  if (query === link.query) return;
  link.query = query;
  const names = create(null) as Record<string, true>;
  const note = (_value: string, name: string) => {
    names[name] = true;
  };
  apply(forEach, params, [note]);
  const listed = keys(names);
  for (let index = 0; index < listed.length; index++)
    apply(remove, params, [listed[index] as string]);
  apply(forEach, new Native(query), [
    (value: string, name: string) => apply(append, params, [name, value]),
  ]);
}

/** Writes the parameters to the URL that they belong to. */
function writeBack(params: URLSearchParams): void {
  const link = linkOf(params);
  if (link === undefined) return;
  apply(search.set, link.url, [apply(write, params, [])]);
  link.query = apply(search.get, link.url, []) as string;
}

function wrap(name: string | symbol, after: (params: URLSearchParams) => void): void {
  const method = prototype[name] as (...args: unknown[]) => unknown;
  const wrapped = {
    method(this: URLSearchParams, ...args: unknown[]): unknown {
      read(this);
      const value = apply(method, this, args);
      after(this);
      return value;
    },
  };
  hidden(wrapped.method, "name", toText(typeof name === "symbol" ? method.name : name));
  hidden(prototype, name, wrapped.method);
}

/** Fills parameters from whatever the constructor takes beside text. */
function fill(params: URLSearchParams, init: object): void {
  const add = (name: unknown, value: unknown) =>
    apply(append, params, [toText(name), toText(value)]);
  if (typeof (init as Iterable<unknown>)[Symbol.iterator] !== "function") {
    const names = keys(init);
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string;
      add(name, (init as Record<string, unknown>)[name]);
    }
    return;
  }
  const pairs = itemsOf(init as Iterable<Iterable<unknown>>);
  for (let index = 0; index < pairs.length; index++) {
    const items = itemsOf(pairs[index] as Iterable<unknown>);
    if (items.length !== 2) throw new NewTypeError("each pair must have a name and a value");
    add(items[0], items[1]);
  }
}

/** Makes URLSearchParams what programs expect, and gives URLs theirs. For the prelude, once. */
export function defineSearchParams(): void {
  const nothing = () => {};
  for (let index = 0; index < mutators.length; index++) wrap(mutators[index] as string, writeBack);
  for (let index = 0; index < readers.length; index++) wrap(readers[index] as string, nothing);
  wrap(Symbol.iterator, nothing);
  const { get: size } = getOwnPropertyDescriptor(prototype, "size") as PropertyDescriptor;
  defineProperty(prototype, "size", {
    configurable: true,
    get(this: URLSearchParams) {
      read(this);
      return apply(size as () => number, this, []);
    },
  });
  function SearchParams(init?: unknown): URLSearchParams {
    if (new.target === undefined) throw new NewTypeError("URLSearchParams must be called with new");
    const isObject = (typeof init === "object" || typeof init === "function") && init !== null;
    const params = new Native(isObject || init === undefined ? "" : toText(init));
    if (isObject) fill(params, init);
    const own = (new.target as unknown as { prototype: object }).prototype;
    return getPrototypeOf(params) === own ? params : setPrototypeOf(params, own);
  }
  hidden(SearchParams, "name", "URLSearchParams");
  SearchParams.prototype = prototype;
  hidden(prototype, "constructor", SearchParams);
  hidden(globalThis, "URLSearchParams", SearchParams);
  defineProperty(URL.prototype, "searchParams", {
    configurable: true,
    enumerable: true,
    get(this: URL) {
      const query = apply(search.get, this, []) as string;
      const known = weakGet(ofUrl, this) as URLSearchParams | undefined;
      if (known !== undefined) return known;
      const params = new Native(query);
      weakSet(links, params, { url: this, query } satisfies Link);
      weakSet(ofUrl, this, params);
      return params;
    },
  });
  hidden(URL, "parse", (url: string, base?: string) => {
    try {
      return new NativeUrl(url, base);
    } catch {
      return null; // no URL
    }
  });
}

const NativeUrl = URL;
