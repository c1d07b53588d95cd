import { InvalidArgumentError } from "commander";

/** Adds one `key=value` to those before it; throws for a malformed one and for a key given twice. */
export function addVariable(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("expected key=value.");
  const key = text.slice(0, equals);
  if (Object.hasOwn(before, key)) throw new InvalidArgumentError(`"${key}" is given twice.`);
  return { ...before, [key]: text.slice(equals + 1) };
}

/** A port, or 0 for any; throws for anything else. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError("expected a port, 0 to 65535.");
  return port;
}

/** Seconds as milliseconds; throws for anything but a number above 0. */
export function parseSeconds(text: string): number {
  const ms = Math.round(Number(text) * 1_000);
  if (text.trim() === "" || !(ms >= 1 && ms <= 2_147_483_647))
    throw new InvalidArgumentError("expected seconds, more than 0.");
  return ms;
}
