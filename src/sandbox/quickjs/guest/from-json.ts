import { includes, isSafeInteger, parse, toBigInt } from "./primordials.ts";

/** JSON text to a value; where `isLong` says so, integers beyond 2^53 become bigint. */
export function fromJson(text: string, isLong: boolean): unknown {
  return isLong ? parse(text, exact as (key: string, value: unknown) => unknown) : parse(text);
}

function exact(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== "number" || source === undefined || isSafeInteger(value)) return value;
  const hasFraction = includes(source, ".") || includes(source, "e") || includes(source, "E");
  return hasFraction ? value : toBigInt(source);
}
