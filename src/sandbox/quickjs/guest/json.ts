import { type Converted, convert, type Entry, nextOf } from "./conversions.ts";
import {
  append,
  apply,
  bigintText,
  brandOf,
  charCodeAt,
  create,
  getPrototypeOf,
  hasOwn,
  is,
  isArray,
  isFiniteNumber,
  isInteger,
  isSafeInteger,
  isWellFormed,
  keys,
  NewError,
  NewSet,
  numberText,
  objectPrototype,
  setAdd,
  setDelete,
  setHas,
  slice,
  stringify,
  toBigInt,
  toNumber,
  toText,
} from "./primordials.ts";

// As in shared/json.ts of the host.
const maxDepth = 64;
const maxValues = 250_000;
// How many conversions of one type are named, and how many in all.
const maxNamed = 10;
const maxConversions = 100;

/** A value that is not JSON; the message begins with the path of the place. */
export class NotJson extends NewError {}

/** The value has more members than are taken. */
export class TooMany extends NotJson {}

/** A place whose value was converted, and the type that stood there. */
export interface Conversion {
  readonly path: string;
  readonly type: string;
}

interface Walk {
  readonly parents: Set<unknown>;
  readonly maxValues: number;
  /** What was converted, the first of each type; undefined where NaN is refused. */
  readonly found: Found | undefined;
  count: number;
}

interface Found {
  readonly named: Conversion[];
  readonly counts: Record<string, number>;
}

/** Exact JSON text of a call's arguments; NotJson names the place of what cannot cross. */
export function argumentsToJson(value: unknown): string {
  return write(value, "", "$", 0, toWalk(maxValues, undefined));
}

/** JSON text of a program's value, and its conversions; what is no number becomes null. */
export function resultToJson(
  value: unknown,
  maxMembers: number,
): { readonly json: string; readonly conversions: Conversion[] } {
  const found: Found = { named: [], counts: create(null) as Record<string, number> };
  const json = write(value, "", "$", 0, toWalk(maxMembers, found));
  return { json, conversions: found.named };
}

function toWalk(maxValues: number, found: Found | undefined): Walk {
  return { parents: new NewSet(), maxValues, found, count: 0 };
}

function write(value: unknown, key: string, path: string, depth: number, walk: Walk): string {
  walk.count += 1;
  switch (typeof value) {
    case "boolean":
      return value ? "true" : "false";
    case "number":
      return isFiniteNumber(value) ? writeNumber(value) : writeNoNumber(value, path, walk);
    case "bigint":
      return writeBigint(value, path);
    case "string":
      return writeText(value, path);
    case "object":
      return value === null ? "null" : writeObject(value, key, path, depth, walk);
    case "undefined":
      if (walk.found === undefined || depth === 0) break;
      return writeNull("undefined", path, walk); // in a list, as JSON.stringify does
  }
  throw new NotJson(`${path}: ${typeof value} is not a JSON value`);
}

function writeNoNumber(value: number, path: string, walk: Walk): string {
  if (walk.found === undefined) throw new NotJson(`${path}: ${value} is not a JSON number`);
  return writeNull(toText(value), path, walk);
}

function writeNull(type: string, path: string, walk: Walk): string {
  note(type, path, walk);
  return "null";
}

function note(type: string, path: string, { found }: Walk): void {
  if (found === undefined) return;
  const count = found.counts[type] ?? 0;
  if (count === maxNamed || found.named.length === maxConversions) return;
  found.counts[type] = count + 1;
  append(found.named, { __proto__: null, path: slice(path, 0, 200), type } as Conversion);
}

function writeNumber(value: number): string {
  if (is(value, -0)) return "-0.0";
  // Beyond 2^53 the shortest digits that name a number are not its own; from 10^21 there is an exponent.
  const isLong = isInteger(value) && !isSafeInteger(value) && value < 1e21 && value > -1e21;
  return isLong ? bigintText(toBigInt(value)) : numberText(value);
}

function writeBigint(value: bigint, path: string): string {
  if (!isFiniteNumber(toNumber(value))) {
    throw new NotJson(`${path}: the integer is out of range, at most 308 digits are taken`);
  }
  return bigintText(value);
}

function writeText(value: string, path: string): string {
  if (!isWellFormed(value)) throw new NotJson(`${path}: the text has a lone surrogate`);
  return stringify(value);
}

function writeObject(value: object, key: string, path: string, depth: number, walk: Walk): string {
  if (setHas(walk.parents, value)) throw new NotJson(`${path}: the value contains itself`);
  if (depth >= maxDepth)
    throw new NotJson(`${slice(path, 0, 200)}: nested deeper than ${maxDepth}`);
  setAdd(walk.parents, value);
  const converted = convert(value);
  const text =
    converted === undefined
      ? writeOwn(value, key, path, depth, walk)
      : writeConverted(converted, path, depth, walk);
  setDelete(walk.parents, value);
  return text;
}

function writeConverted(made: Converted, path: string, depth: number, walk: Walk): string {
  note(made.type, path, walk);
  if ("members" in made) return writeEntries(made.members, path, depth + 1, walk);
  if ("items" in made) return writeItems(made.items, path, depth + 1, walk);
  walk.count -= 1; // it has been counted
  return write(made.value, "", path, depth, walk);
}

/** A list, or the members of an object, or what its `toJSON` gives. */
function writeOwn(value: object, key: string, path: string, depth: number, walk: Walk): string {
  const toJSON = toJsonOf(value);
  const given = typeof toJSON === "function" ? (apply(toJSON, value, [key]) as unknown) : value;
  if (given === value) return writeMembersOf(value, path, depth, walk);
  // What it gives has no toJSON of its own to JSON.stringify.
  if (typeof given !== "object" || given === null) return write(given, "", path, depth, walk);
  if (setHas(walk.parents, given)) throw new NotJson(`${path}: the value contains itself`);
  const converted = convert(given);
  return converted === undefined
    ? writeMembersOf(given, path, depth, walk)
    : writeConverted(converted, path, depth, walk);
}

/** The value's `toJSON`; one that a program has given to all objects is not the value's. */
function toJsonOf(value: object): unknown {
  let owner: object | null = value;
  while (owner !== null && owner !== objectPrototype) {
    if (hasOwn(owner, "toJSON")) return (value as { toJSON?: unknown }).toJSON;
    owner = getPrototypeOf(owner) as object | null;
  }
  return undefined;
}

function writeMembersOf(value: object, path: string, depth: number, walk: Walk): string {
  if (isArray(value)) {
    enter(value.length, path, walk);
    return writeList(value, path, depth + 1, walk);
  }
  const names = namesOf(value, path);
  enter(names.length, path, walk);
  return writeMembers(value as Record<string, unknown>, names, path, depth + 1, walk);
}

/** Counts a container once more than as the value that it is. Its items count themselves. */
function enter(items: number, path: string, walk: Walk): void {
  walk.count += 1;
  checkRoom(items, path, walk);
}

function checkRoom(items: number, path: string, walk: Walk): void {
  if (walk.count + items <= walk.maxValues) return;
  throw new TooMany(`${slice(path, 0, 200)}: more than ${walk.maxValues} values`);
}

/** Names of the members of an ordinary object; others hold something that JSON would lose. */
function namesOf(value: object, path: string): string[] {
  const brand = slice(brandOf(value), 8, -1);
  if (brand === "Object") return keys(value);
  const hint = brand === "Promise" ? ": add await" : "";
  throw new NotJson(`${path}: ${slice(brand, 0, 64)} is not a JSON value${hint}`);
}

function writeList(list: unknown[], path: string, depth: number, walk: Walk): string {
  let text = "[";
  for (let index = 0; index < list.length; index++) {
    if (index > 0) text += ",";
    text += write(list[index], toText(index), `${path}[${index}]`, depth, walk);
  }
  return `${text}]`;
}

/** What an iterator gives, which may never end. */
function writeItems(iterator: object, path: string, depth: number, walk: Walk): string {
  let text = "[";
  enter(0, path, walk);
  for (let index = 0; ; index++) {
    const item = nextOf(iterator);
    if (item === undefined) return `${text}]`;
    checkRoom(0, path, walk);
    if (index > 0) text += ",";
    text += write(item.value, toText(index), `${path}[${index}]`, depth, walk);
  }
}

function writeMembers(
  members: Record<string, unknown>,
  names: string[],
  path: string,
  depth: number,
  walk: Walk,
): string {
  let text = "{";
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    const value = members[name];
    if (value === undefined) continue;
    if (text !== "{") text += ",";
    text += `${writeText(name, path)}:${write(value, name, path + step(name), depth, walk)}`;
  }
  return `${text}}`;
}

/** The entries of a Map, by name. */
function writeEntries(entries: Entry[], path: string, depth: number, walk: Walk): string {
  const members = create(null) as Record<string, unknown>;
  const names: string[] = [];
  enter(entries.length, path, walk);
  for (let index = 0; index < entries.length; index++) {
    const { key, value } = entries[index] as Entry;
    const name = nameOf(key, path);
    if (name in members)
      throw new NotJson(`${path}: two keys are written ${writeText(name, path)}`);
    members[name] = value;
    append(names, name);
  }
  return writeMembers(members, names, path, depth, walk);
}

/** A key of a Map as the name of a member. */
function nameOf(key: unknown, path: string): string {
  if (typeof key === "string") return key;
  const isNamed = key === null || typeof key === "number" || typeof key === "boolean";
  if (isNamed || typeof key === "bigint") return toText(key);
  const fault = `${path}: a key of the Map is ${typeof key}`;
  throw new NotJson(`${fault}, not text, a number, a boolean or null`);
}

function step(name: string): string {
  return isName(name) ? `.${name}` : `[${stringify(slice(name, 0, 64))}]`;
}

/** Whether a member can be written with a dot before it. */
function isName(name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const char = charCodeAt(name, index);
    const isLetter = (char >= 97 && char <= 122) || (char >= 65 && char <= 90);
    const isDigit = char >= 48 && char <= 57;
    if (!isLetter && char !== 95 && char !== 36 && !(isDigit && index > 0)) return false;
  }
  return name !== "" && name.length <= 64;
}
