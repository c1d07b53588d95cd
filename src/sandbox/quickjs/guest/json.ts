import {
  apply,
  bigintText,
  brandOf,
  charCodeAt,
  includes,
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
  parse,
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

/** A value that is not JSON; the message begins with the path of the place. */
export class NotJson extends NewError {}

interface Walk {
  readonly parents: Set<unknown>;
  count: number;
}

/** Exact JSON text of a value; NotJson names the place of what JSON cannot hold. */
export function toJson(value: unknown): string {
  return write(plain(value, ""), "$", 0, { parents: new NewSet(), count: 0 });
}

/** JSON text to a value; where `isLong` says so, integers beyond 2^53 become bigint. */
export function fromJson(text: string, isLong: boolean): unknown {
  return isLong ? parse(text, exact as (key: string, value: unknown) => unknown) : parse(text);
}

function exact(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== "number" || source === undefined || isSafeInteger(value)) return value;
  const hasFraction = includes(source, ".") || includes(source, "e") || includes(source, "E");
  return hasFraction ? value : toBigInt(source);
}

/** What JSON.stringify takes in place of a value: dates and others say so by `toJSON`. */
function plain(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { toJSON } = value as { toJSON?: unknown };
  return typeof toJSON === "function" ? apply(toJSON, value, [key]) : value;
}

function write(value: unknown, path: string, depth: number, walk: Walk): string {
  walk.count += 1;
  switch (typeof value) {
    case "boolean":
      return value ? "true" : "false";
    case "number":
      return writeNumber(value, path);
    case "bigint":
      return writeBigint(value, path);
    case "string":
      return writeText(value, path);
    case "object":
      return value === null ? "null" : writeObject(value, path, depth, walk);
    default:
      throw new NotJson(`${path}: ${typeof value} is not a JSON value`);
  }
}

function writeNumber(value: number, path: string): string {
  if (!isFiniteNumber(value)) throw new NotJson(`${path}: ${value} is not a JSON number`);
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

function writeObject(value: object, path: string, depth: number, walk: Walk): string {
  if (setHas(walk.parents, value)) throw new NotJson(`${path}: the value contains itself`);
  const short = slice(path, 0, 200);
  if (depth >= maxDepth) throw new NotJson(`${short}: nested deeper than ${maxDepth}`);
  const names = isArray(value) ? undefined : namesOf(value, path);
  const length = isArray(value) ? value.length : (names?.length ?? 0);
  walk.count += 1;
  if (walk.count + length > maxValues) {
    throw new NotJson(`${short}: more than ${maxValues} values`);
  }
  setAdd(walk.parents, value);
  const text = isArray(value)
    ? writeList(value, path, depth + 1, walk)
    : writeMembers(value as Record<string, unknown>, names ?? [], path, depth + 1, walk);
  setDelete(walk.parents, value);
  return text;
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
    text += write(plain(list[index], toText(index)), `${path}[${index}]`, depth, walk);
  }
  return `${text}]`;
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
    const value = plain(members[name], name);
    if (value === undefined) continue;
    if (text !== "{") text += ",";
    text += `${writeText(name, path)}:${write(value, path + step(name), depth, walk)}`;
  }
  return `${text}}`;
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
