// What the prelude uses of the language, taken before any program can change it. The prelude's code
// calls no method of a value, iterates over nothing and sets no new index of an array: each would
// look at what a program may have replaced.

type Uncurried<F> = F extends (this: infer Self, ...args: infer Args) => infer Result
  ? (self: Self, ...args: Args) => Result
  : never;

const { bind, call } = Function.prototype;
const uncurryThis = bind.bind(call) as <F>(method: F) => Uncurried<F>;

function uncurry<Self, Args extends unknown[], Result>(
  method: (this: Self, ...args: Args) => Result,
): (self: Self, ...args: Args) => Result {
  return uncurryThis(method) as (self: Self, ...args: Args) => Result;
}

const getter = (object: object, name: string | symbol) =>
  uncurry(Object.getOwnPropertyDescriptor(object, name)?.get as (this: unknown) => unknown);

export const {
  create,
  defineProperty,
  freeze,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  is,
  keys,
  setPrototypeOf,
} = Object;
export const { apply, ownKeys } = Reflect;
export const { isArray } = Array;
export const { isFinite: isFiniteNumber, isInteger, isSafeInteger } = Number;
export const { floor, max, min, trunc } = Math;
export const { toPrimitive, toStringTag } = Symbol;
export const now = Date.now;
export const toText = String;
export const toBigInt = BigInt;
export const toNumber = Number;
export const { parse, stringify } = JSON;
export const fromCharCode = String.fromCharCode;
export const NewError = Error;
export const NewInternalError = (globalThis as unknown as { InternalError: ErrorConstructor })
  .InternalError;
export const NewRangeError = RangeError;
export const NewDate = Date;
export const NewTypeError = TypeError;
export const NewProxy = Proxy;
export const NewMap = Map;
export const NewSet = Set;
export const NewWeakMap = WeakMap;
export const NewPromise = Promise;
export const NewUint8Array = Uint8Array;
export const NewUrl = URL;
export const NewUrlSearchParams = URLSearchParams;
export const NewDomException = DOMException;
// biome-ignore lint/security/noGlobalEval: the only way to see what the program has declared
export const evaluate = globalThis.eval;
export const symbolHasInstance = uncurry(Function.prototype[Symbol.hasInstance]);
export const functionText = uncurry(Function.prototype.toString);
export const brandOf = uncurry(Object.prototype.toString);
export const hasOwn = uncurry(Object.prototype.hasOwnProperty);
export const bigintText = uncurry(BigInt.prototype.toString);
export const numberText = uncurry(Number.prototype.toString);
export const charCodeAt = uncurry(String.prototype.charCodeAt);
export const endsWith = uncurry(
  String.prototype.endsWith as (this: string, end: string) => boolean,
);
export const includes = uncurry(
  String.prototype.includes as (this: string, part: string) => boolean,
);
export const indexOf = uncurry(String.prototype.indexOf);
export const isWellFormed = uncurry(String.prototype.isWellFormed);
export const lastIndexOf = uncurry(String.prototype.lastIndexOf);
export const slice = uncurry(String.prototype.slice);
export const startsWith = uncurry(
  String.prototype.startsWith as (this: string, start: string) => boolean,
);
export const toUpperCase = uncurry(String.prototype.toUpperCase);
export const toLowerCase = uncurry(String.prototype.toLowerCase);
export const toWellFormed = uncurry(String.prototype.toWellFormed);
export const trimEnd = uncurry(String.prototype.trimEnd);
export const objectPrototype = Object.prototype;
export const dateTime = uncurry(Date.prototype.getTime);
/** What an object is as a number, or as a text where it has no number. */
export const ordinaryPrimitive = uncurry(
  Date.prototype[Symbol.toPrimitive] as (this: unknown, hint: string) => unknown,
);
export const dateText = uncurry(Date.prototype.toISOString);
export const unboxNumber = uncurry(Number.prototype.valueOf as (this: unknown) => number);
export const unboxText = uncurry(String.prototype.valueOf as (this: unknown) => string);
export const unboxBoolean = uncurry(Boolean.prototype.valueOf as (this: unknown) => boolean);
export const unboxBigint = uncurry(BigInt.prototype.valueOf as (this: unknown) => bigint);
export const mapSize = getter(Map.prototype, "size");
export const mapForEach = uncurry(
  Map.prototype.forEach as (
    this: Map<unknown, unknown>,
    callback: (value: unknown, key: unknown) => void,
  ) => void,
);
export const setForEach = uncurry(
  Set.prototype.forEach as (this: Set<unknown>, callback: (value: unknown) => void) => void,
);
export const mapDelete = uncurry(
  Map.prototype.delete as (this: Map<unknown, unknown>, key: unknown) => boolean,
);
export const mapGet = uncurry(
  Map.prototype.get as (this: Map<unknown, unknown>, key: unknown) => unknown,
);
export const mapSet = uncurry(
  Map.prototype.set as (this: Map<unknown, unknown>, key: unknown, value: unknown) => unknown,
);
export const setAdd = uncurry(Set.prototype.add as (this: Set<unknown>, key: unknown) => unknown);
export const setDelete = uncurry(
  Set.prototype.delete as (this: Set<unknown>, key: unknown) => boolean,
);
export const setHas = uncurry(Set.prototype.has as (this: Set<unknown>, key: unknown) => boolean);
export const promiseThen = uncurry(
  Promise.prototype.then as (this: Promise<unknown>, done: unknown, failed: unknown) => unknown,
);
export const weakGet = uncurry(
  WeakMap.prototype.get as (this: WeakMap<object, unknown>, key: object) => unknown,
);
export const weakSet = uncurry(
  WeakMap.prototype.set as (this: WeakMap<object, unknown>, key: object, value: unknown) => unknown,
);
const typedArrays = getPrototypeOf(Uint8Array.prototype) as object;
export const typedArrayTag = getter(typedArrays, Symbol.toStringTag) as (
  value: unknown,
) => string | undefined;
export const typedArrayBuffer = getter(typedArrays, "buffer") as (array: unknown) => ArrayBuffer;
export const typedArrayOffset = getter(typedArrays, "byteOffset") as (array: unknown) => number;
export const typedArrayLength = getter(typedArrays, "length") as (array: unknown) => number;
export const arrayBufferBytes = getter(ArrayBuffer.prototype, "byteLength") as (
  buffer: unknown,
) => number;
export const typedArrayBytes = getter(typedArrays, "byteLength") as (array: unknown) => number;

// QuickJS makes a template literal a call of this method, in the prelude as anywhere.
defineProperty(String.prototype, "concat", { writable: false, configurable: false });

/** Adds an item to an array of our own, past any setter that a program has put into its prototype. */
export function append<T>(list: T[], item: T): void {
  defineProperty(list, list.length, {
    __proto__: null,
    value: item,
    writable: true,
    enumerable: true,
    configurable: true,
  } as PropertyDescriptor);
}

/** What a program gives to be iterated over: an array by its indices, whatever its iterator has become. */
export function itemsOf<T>(given: Iterable<T>): T[] {
  const items: T[] = [];
  if (isArray(given))
    for (let index = 0; index < given.length; index++) append(items, given[index]);
  else for (const item of given) append(items, item);
  return items;
}

/** Whether a value was made by a constructor or one that extends it, whatever that says of itself. */
export function isInstance(value: unknown, maker: unknown): boolean {
  return symbolHasInstance(maker as () => void, value);
}

/** Names a property for all to see, and for none to list. */
export function hidden(target: object, name: string | symbol, value: unknown): void {
  defineProperty(target, name, {
    __proto__: null,
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  } as PropertyDescriptor);
}

/** Whether a list of our own has a text. */
export function isListed(list: readonly string[], text: string): boolean {
  for (let index = 0; index < list.length; index++) if (list[index] === text) return true;
  return false;
}
