import { z } from "zod";
import { settingsSchema } from "./settings.ts";

const prefix = "CODEMODE_";
// CODEMODE_EXECUTOR_* is the SDK's; the others appear wherever a Kubernetes service is called "codemode".
const notOurs = /^CODEMODE_(?:CONFIG$|EXECUTOR_|SERVICE_(?:HOST|PORT)|PORT_\d)/;

/** Settings that an environment holds, and variables of our prefix that mean nothing. */
export interface EnvironmentSettings {
  /** Nested as in a file. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly unknown: readonly string[];
}

/** Name of the variable that sets the setting at a path, such as `CODEMODE_TLS_CERT_FILE`. */
export function variableName(path: readonly PropertyKey[]): string {
  return prefix + path.map(String).join("_").toUpperCase();
}

/** Reads settings from variables; their values are checked later, with those of the file. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): EnvironmentSettings {
  const settings: Record<string, unknown> = {};
  const known = new Set<string>();
  for (const { path, type } of leaves(z.toJSONSchema(settingsSchema, { io: "input" }))) {
    known.add(variableName(path));
    const text = env[variableName(path)];
    if (text !== undefined) put(settings, path, parse(text, path, type));
  }
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith(prefix) && !known.has(name) && !notOurs.test(name),
  );
  return { settings, unknown };
}

interface JsonSchema {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, unknown>>;
}

interface Leaf {
  readonly path: readonly string[];
  readonly type: unknown;
}

function* leaves(schema: JsonSchema, path: readonly string[] = []): Generator<Leaf> {
  if (schema.properties === undefined) {
    yield { path, type: schema.type };
    return;
  }
  for (const [key, value] of Object.entries(schema.properties))
    yield* leaves(value as JsonSchema, [...path, key]);
}

function parse(text: string, path: readonly string[], type: unknown): unknown {
  if (type === "array") {
    const items = text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
    return path[0] === "api_keys" ? items.map(parseApiKey) : items;
  }
  if (type === "object") return parseObject(text);
  return type !== "string" && /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}

/** A map of settings is JSON; other text is left as it is, for the check to refuse. */
function parseObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `tenant:key`; a key may hold further colons. */
function parseApiKey(item: string): { tenant: string; key: string } {
  const colon = item.indexOf(":");
  return { tenant: item.slice(0, Math.max(0, colon)), key: item.slice(colon + 1) };
}

function put(
  into: Record<string, unknown>,
  [key = "", ...rest]: readonly string[],
  value: unknown,
) {
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  const inner = (into[key] ?? {}) as Record<string, unknown>;
  into[key] = inner;
  put(inner, rest, value);
}
