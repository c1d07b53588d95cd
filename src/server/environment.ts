import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import type { FieldViolation } from "../shared/errors.ts";
import { settingsSchema } from "./settings.ts";

const prefix = "CODEMODE_";
/** Variables that others of our name have: our own client, and `opencodemode` with its client and its service. */
const others = [
  /^CODEMODE_(?:CONFIG|VERSION)$/,
  /^CODEMODE_EXECUTOR_/,
  /^CODEMODE_(?:SIDECAR|GRPC|CALLBACK_TLS|RETRY|CORRELATION_ID)_/,
  /^CODEMODE_(?:API_KEY|MAIN_APP_TARGET|CODE_TIMEOUT|MAX_CODE_LENGTH|INCLUDE_CORRELATION_ID)$/,
  /^CODEMODE_(?:ALLOW_DIRECT_EXECUTION|ALLOWED_COMMANDS|METADATA_TTL|TRACEBACK_LIMIT)$/,
  /^CODEMODE_TLS_(?:MODE|ENABLED|CA_FILE|REQUIRE_CLIENT_AUTH|CLIENT_(?:KEY|CERT)_FILE)$/,
];
// What Kubernetes makes for each Service, here of a name that begins with "codemode"; see its page "Service".
const kubernetes =
  /^CODEMODE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
const kubernetesPort = /^(?:tcp|udp|sctp):\/\//;
// For these nothing would mean everything, or everybody.
const neverEmpty: ReadonlySet<string> = new Set([
  "api_keys",
  "allowed_origins",
  "engines",
  "isolation",
]);
const maxDistance = 6;

/** Settings that an environment holds, and what is wrong with its variables of our prefix. */
export interface EnvironmentSettings {
  /** Nested as in a file. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly faults: readonly FieldViolation[];
}

/** Name of the variable that sets the setting at a path, such as `CODEMODE_TLS_CERT_FILE`. */
export function variableName(path: readonly PropertyKey[]): string {
  return prefix + path.map(String).join("_").toUpperCase();
}

/**
 * Reads settings from variables; their values are checked later, with those of the file. An empty variable
 * is an unset one, but for keys and for lists of what is allowed or required.
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): EnvironmentSettings {
  const settings: Record<string, unknown> = {};
  const faults: FieldViolation[] = [];
  const known = new Set<string>();
  for (const { path, type } of leaves(z.toJSONSchema(settingsSchema, { io: "input" }))) {
    const name = variableName(path);
    known.add(name);
    const text = env[name];
    if (text === undefined || isKubernetes(name, text)) continue;
    if (text.trim() !== "") put(settings, path, parse(text, path, type));
    else if (neverEmpty.has(path[0] ?? ""))
      faults.push({ field: name, description: "is empty: leave it unset, or say what is meant" });
  }
  for (const [name, text = ""] of Object.entries(env)) {
    if (!name.startsWith(prefix) || known.has(name) || isKubernetes(name, text)) continue;
    if (others.some((other) => other.test(name))) continue;
    const nearest = closest(name, [...known]);
    const hint = distance(name, nearest) <= maxDistance ? `, did you mean ${nearest}?` : "";
    faults.push({ field: name, description: `no such setting${hint}` });
  }
  return { settings, faults };
}

function isKubernetes(name: string, value: string): boolean {
  return kubernetes.test(name) || (/_PORT$/.test(name) && kubernetesPort.test(value));
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
