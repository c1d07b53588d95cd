import {
  append,
  apply,
  arrayBufferBytes,
  brandOf,
  create,
  dateText,
  dateTime,
  endsWith,
  getPrototypeOf,
  isArray,
  isFiniteNumber,
  isInstance,
  mapForEach,
  NewError,
  NewUint8Array,
  NewUrl,
  NewUrlSearchParams,
  objectPrototype,
  setForEach,
  slice,
  toText,
  typedArrayLength,
  typedArrayTag,
  unboxBigint,
  unboxBoolean,
  unboxNumber,
  unboxText,
} from "./primordials.ts";

/** What stands for a value that is not JSON: a value, members by their written names, or an iterator's items. */
export type Converted =
  | { readonly type: string; readonly value: unknown }
  | { readonly type: string; readonly members: Entry[] }
  | { readonly type: string; readonly items: object };

/** A member of a map: its key as it stands there, and its value. */
export interface Entry {
  readonly key: unknown;
  readonly value: unknown;
}

type Row = (value: object) => Omit<Converted, "type"> | undefined;

/**
 * What stands for a value of the types in the table in docs/programs.md; undefined for all others. A value
 * that only says that it is of a type is not.
 */
export function convert(value: object): Converted | undefined {
  if (isArray(value)) return undefined;
  const prototype = getPrototypeOf(value);
  if (prototype === null || prototype === objectPrototype) return undefined;
  const type = typeNameOf(value);
  const row = typedArrayTag(value) === undefined ? rowOf(type) : listed;
  if (row === undefined) return undefined;
  try {
    const made = row(value);
    return made === undefined ? undefined : ({ ...made, type } as Converted);
  } catch {
    return undefined; // it is not what it says it is
  }
}

/** The name of a built-in type; "Object" for those of a program's own classes. */
export function typeNameOf(value: object): string {
  if (isInstance(value, NewUrl)) return "URL";
  if (isInstance(value, NewUrlSearchParams)) return "URLSearchParams";
  if (isInstance(value, NewError)) return "Error";
  return typedArrayTag(value) ?? slice(brandOf(value), 8, -1);
}

function rowOf(type: string): Row | undefined {
  return rows[type] ?? (isIterator(type) ? iterated : undefined);
}

const isIterator = (type: string) =>
  type === "Generator" || type === "Iterator Helper" || endsWith(type, " Iterator");

const listed: Row = (value) => ({ value: listOf(value as Uint8Array) });
const iterated: Row = (value) => ({ items: value });

const rows: Readonly<Record<string, Row | undefined>> = {
  __proto__: null as never,
  Date: (value) => ({
    value: isFiniteNumber(dateTime(value as Date)) ? dateText(value as Date) : null,
  }),
  Map: (value) => {
    const members: Entry[] = [];
    mapForEach(value as Map<unknown, unknown>, (value, key) => append(members, { key, value }));
    return { members };
  },
  Set: (value) => {
    const items: unknown[] = [];
    setForEach(value as Set<unknown>, (item) => append(items, item));
    return { value: items };
  },
  ArrayBuffer: (value) => {
    arrayBufferBytes(value as ArrayBuffer); // throws for anything else
    return { value: listOf(new NewUint8Array(value as ArrayBuffer)) };
  },
  URL: (value) => ({ value: toText(value) }),
  URLSearchParams: (value) => ({ value: toText(value) }),
  RegExp: (value) => ({ value: toText(value) }),
  Error: (value) => {
    const { name, message } = value as Error;
    const shown = create(null) as Record<string, unknown>;
    shown.name = toText(name);
    shown.message = toText(message);
    return { value: shown };
  },
  Number: (value) => ({ value: unboxNumber(value) }),
  String: (value) => ({ value: unboxText(value) }),
  Boolean: (value) => ({ value: unboxBoolean(value) }),
  BigInt: (value) => ({ value: unboxBigint(value) }),
};

function listOf(array: Uint8Array): unknown[] {
  const length = typedArrayLength(array) as number;
  const items: unknown[] = [];
  for (let index = 0; index < length; index++) append(items, array[index]);
  return items;
}

/** The next item of an iterator; undefined at its end. */
export function nextOf(iterator: object): { readonly value: unknown } | undefined {
  const { next } = iterator as { next: () => { done?: boolean; value: unknown } };
  const step = apply(next, iterator, []) as { done?: boolean; value: unknown };
  return step.done ? undefined : step;
}
