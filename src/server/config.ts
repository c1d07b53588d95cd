import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { CodemodeError, type FieldViolation } from "../shared/errors.ts";
import type { IsolationTier, Limits } from "../shared/model.ts";
import { usableMemory } from "../shared/usable-memory.ts";
import { readEnvironment, variableName } from "./environment.ts";
import type { LogLevel } from "./logger.ts";
import {
  type ApiKey,
  type Settings,
  settingsSchema,
  type ToolServiceSettings,
} from "./settings.ts";
import { merge, readSettings } from "./settings-file.ts";
import { heapBytes, logBytesFor, outcomeBytesFor, requestsFor, slotsFor } from "./slots.ts";
import { longestDeadlineMs } from "./timeout-headers.ts";

/** A checked configuration: every field is set, and they fit together. */
export interface Config {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Empty: every caller is the tenant "default", on loopback only. */
  readonly apiKeys: readonly ApiKey[];
  /** Of web pages that a service without keys answers, beside its own. */
  readonly allowedOrigins: readonly string[];
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly requiredIsolationTier: IsolationTier;
  /** Whether engines get a second wall where the machine gives one. */
  readonly secondWall: "auto" | "off";
  /** Names in order of preference. Default: all, each as far as this machine can run it. */
  readonly engines: readonly string[] | undefined;
  /** Command or path of the Python interpreter. */
  readonly python: string;
  /** Folders of packages that Python programs may import; none where nothing is said. */
  readonly sitePackages: readonly string[];
  /** Guests that wait, locked, where an engine keeps more than one. */
  readonly spareGuests: number;
  /** A folder of this user's for what takes long to make. Default: ~/.cache/codemode. */
  readonly cacheDirectory: string;
  /** Executions admitted at once. Default: what memory holds at 16 MiB each, at most 1000. */
  readonly slots: number;
  /** Memory that the service and all programs may use, bytes. */
  readonly memoryBytes: number;
  /** Executions that may wait. Default: as many as slots. */
  readonly queueSize: number;
  readonly queueTimeoutMs: number;
  /** Slots that one tenant may hold. Default: all. */
  readonly tenantSlots: number;
  /** Executions of one tenant that may wait. Default: as many as may wait at all. */
  readonly tenantQueueSize: number;
  /** Executions that one tenant may start in a minute; 0 for any number. */
  readonly tenantExecutionsPerMinute: number;
  /** Logs of one tenant's running executions above which no more start. Default: a quarter of the heap. */
  readonly tenantLogBytes: number;
  /** Tenants that have keys; 1 where there are no keys. */
  readonly tenants: number;
  /** Several tenants have keys: none may have all of what they share. */
  readonly isShared: boolean;
  /** What is remembered of requests with an id. */
  readonly idempotency: {
    /** From the end of the execution. */
    readonly ttlMs: number;
    /** Default: what a tenth of the heap holds. */
    readonly maxRequests: number;
    /** Of outcomes; above it no new request is taken. Default: what a sixteenth of the heap holds. */
    readonly outcomeBytes: number;
  };
  readonly defaultLimits: Limits;
  readonly maxLimits: Limits;
  /** For calls that set none. Default: the longest; an execution has its own limits. */
  readonly defaultDeadlineMs: number;
  /** Default: the longest execution and wait, and 5 s for the answer. */
  readonly maxDeadlineMs: number;
  /** How long a shutdown waits for what runs. */
  readonly drainMs: number;
  /** Open at once. */
  readonly maxConnections: number;
  /** On which calls of one tenant came. */
  readonly tenantConnections: number;
  /** On which no call has shown a key. */
  readonly keylessConnections: number;
  /** For a message of a call to come whole. */
  readonly receiveMs: number;
  /** For a caller to take 64 KiB of an answer that is complete. */
  readonly sendMs: number;
  /** Of one tenant, whose message has not come whole. */
  readonly tenantReceivingCalls: number;
  /** Of messages half received and answers not taken, of one tenant. */
  readonly tenantTransitBytes: number;
  /** The same of all tenants. */
  readonly transitBytes: number;
  /** Applications that requests may choose to answer their tool calls, by name. */
  readonly toolServices: Readonly<Record<string, ToolServiceSettings>>;
  /** Arguments or result of one tool call, bytes of JSON text. */
  readonly toolPayloadBytes: number;
  /** Arguments and results of all tool calls of one execution. */
  readonly toolTotalBytes: number;
  /** How long the list of a service's tools is good. */
  readonly toolListMs: number;
  /** Readers of one execution beside the one that started it. */
  readonly executionFollowers: number;
  /** The same of all executions of one tenant. */
  readonly tenantFollowers: number;
  /** What is kept of executions that have ended, the oldest of which go first. */
  readonly retention: {
    readonly endedForMs: number;
    readonly tenantBytes: number;
    readonly totalBytes: number;
    /** Executions known at once, those that run included. */
    readonly maxExecutions: number;
  };
  readonly logLevel: LogLevel;
}

/** Where `loadConfig` looks. */
export interface ConfigSources {
  /** A YAML file. Default: the environment's `CODEMODE_CONFIG`; without it none. */
  readonly file?: string | undefined;
  /** Default: the process's own. Wins over the file. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Win over both. */
  readonly overrides?: Settings;
}

/**
 * The configuration of a file and the environment. Rejects with every fault of single settings at
 * once, by field; where there is none, with every pair that does not fit together.
 */
export async function loadConfig(sources: ConfigSources = {}): Promise<Config> {
  const { env = process.env, overrides = {} } = sources;
  const file = sources.file ?? env.CODEMODE_CONFIG;
  const environment = readEnvironment(env);
  const settings = merge(merge(await readSettings(file), environment.settings), overrides);
  return check(settings, environment.faults);
}

/** A configuration of settings and defaults. Throws with every fault at once, by field. */
export function parseConfig(settings: Settings = {}): Config {
  return check(settings, []);
}

function check(settings: unknown, faults: readonly FieldViolation[]): Config {
  const parsed = settingsSchema.safeParse(settings);
  const violations = [...faults, ...(parsed.error?.issues.flatMap(toViolations) ?? [])];
  if (parsed.data !== undefined) violations.push(...misfits(parsed.data));
  if (parsed.data === undefined || violations.length > 0) {
    const list = violations.map(({ field, description }) => `${field}: ${description}`);
    throw new CodemodeError("invalid_request", `configuration: ${list.join("; ")}`, { violations });
  }
  return complete(parsed.data);
}

function toViolations(issue: z.core.$ZodIssue): FieldViolation[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      field: [...issue.path, key].join("."),
      description: "no such setting",
    }));
  const field = issue.path.join(".");
  const description = issue.message.replace(/^Invalid input: /, "");
  const variable = variableOf(issue.path);
  return [{ field, description: variable ? `${description} (${variable})` : description }];
}

/** The variable that sets what a path names; none for an item of a list. */
function variableOf(path: readonly PropertyKey[]): string | undefined {
  if (path[0] === "tool_services") return variableName(path.slice(0, 1));
  return path.every((key) => typeof key === "string") ? variableName(path) : undefined;
}

type Parsed = z.output<typeof settingsSchema>;

/** Settings that are right alone and wrong together. */
function misfits(settings: Parsed): FieldViolation[] {
  const { default_limits, max_limits, slots, tenant_slots, api_keys } = settings;
  const found: FieldViolation[] = [];
  const atMost = (field: string, value: number | undefined, bound: string, most?: number) => {
    if (value !== undefined && most !== undefined && value > most)
      found.push({ field, description: `${value} is more than ${bound}, ${most}` });
  };
  for (const field of Object.keys(default_limits) as (keyof Limits)[]) {
    const key = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    atMost(`default_limits.${key}`, default_limits[field], `max_limits.${key}`, max_limits[field]);
  }
  atMost("tenant_slots", tenant_slots, "slots", slots);
  atMost("tenant_queue_size", settings.tenant_queue_size, "queue_size", settings.queue_size);
  atMost(
    "tool_payload_bytes",
    settings.tool_payload_bytes,
    "tool_total_bytes",
    settings.tool_total_bytes,
  );
  for (const [name, { tls }] of Object.entries(settings.tool_services)) {
    if (typeof tls === "boolean" || (tls.cert_file === undefined) === (tls.key_file === undefined))
      continue;
    const field = `tool_services.${name}.tls`;
    found.push({ field, description: "cert_file and key_file go together" });
  }
  const { default_deadline_ms, max_deadline_ms, retention } = settings;
  atMost("default_deadline_ms", default_deadline_ms, "max_deadline_ms", max_deadline_ms);
  const { tenant_bytes, total_bytes } = retention;
  atMost("retention.tenant_bytes", tenant_bytes, "retention.total_bytes", total_bytes);
  for (const [index, { key }] of api_keys.entries()) {
    if (api_keys.findIndex((other) => other.key === key) < index)
      found.push({ field: `api_keys.${index}.key`, description: "listed twice" });
  }
  return found;
}

function complete(settings: Parsed): Config {
  const memoryBytes = settings.memory_bytes ?? usableMemory();
  const slots = settings.slots ?? slotsFor(memoryBytes);
  const queueSize = settings.queue_size ?? slots;
  const { idempotency, retention } = settings;
  const answerMs = settings.max_limits.wallMs + settings.queue_timeout_ms + 5_000;
  const maxDeadlineMs = Math.min(
    settings.max_deadline_ms ?? Math.max(answerMs, settings.default_deadline_ms ?? 0),
    longestDeadlineMs,
  );
  const { tls } = settings;
  const tenants = new Set(settings.api_keys.map(({ tenant }) => tenant));
  return {
    host: settings.host,
    port: settings.port,
    apiKeys: settings.api_keys,
    allowedOrigins: settings.allowed_origins,
    tls: tls && { certFile: tls.cert_file, keyFile: tls.key_file },
    requiredIsolationTier: settings.isolation.require,
    secondWall: settings.isolation.second_wall,
    engines: settings.engines,
    python: settings.python,
    sitePackages: settings.site_packages,
    spareGuests: settings.spare_guests,
    cacheDirectory: settings.cache_directory ?? defaultCache(),
    slots,
    memoryBytes,
    queueSize,
    queueTimeoutMs: settings.queue_timeout_ms,
    tenantSlots: settings.tenant_slots ?? slots,
    tenantQueueSize: settings.tenant_queue_size ?? queueSize,
    tenantExecutionsPerMinute: settings.tenant_executions_per_minute,
    tenantLogBytes: settings.tenant_log_bytes ?? logBytesFor(heapBytes()),
    tenants: Math.max(tenants.size, 1),
    isShared: tenants.size > 1,
    idempotency: {
      ttlMs: idempotency.ttl_ms,
      maxRequests: idempotency.max_requests ?? requestsFor(heapBytes()),
      outcomeBytes: idempotency.outcome_bytes ?? outcomeBytesFor(heapBytes()),
    },
    defaultLimits: settings.default_limits,
    maxLimits: settings.max_limits,
    defaultDeadlineMs: settings.default_deadline_ms ?? maxDeadlineMs,
    maxDeadlineMs,
    drainMs: settings.drain_ms,
    maxConnections: settings.max_connections,
    tenantConnections: settings.tenant_connections,
    keylessConnections: settings.keyless_connections,
    receiveMs: settings.receive_ms,
    sendMs: settings.send_ms,
    tenantReceivingCalls: settings.tenant_receiving_calls,
    tenantTransitBytes: settings.tenant_transit_bytes,
    transitBytes: settings.transit_bytes,
    toolServices: settings.tool_services,
    toolPayloadBytes: settings.tool_payload_bytes,
    toolTotalBytes: settings.tool_total_bytes,
    toolListMs: settings.tool_list_ms,
    executionFollowers: settings.execution_followers,
    tenantFollowers: settings.tenant_followers,
    retention: {
      endedForMs: retention.ended_for_ms,
      tenantBytes: retention.tenant_bytes,
      totalBytes: retention.total_bytes,
      maxExecutions: retention.max_executions,
    },
    logLevel: settings.log_level,
  };
}

/** In the home directory; where there is none, in that of temporary files. */
function defaultCache(): string {
  try {
    return join(homedir(), ".cache", "codemode");
  } catch {
    return join(tmpdir(), `codemode-cache-${process.getuid?.() ?? 0}`);
  }
}
