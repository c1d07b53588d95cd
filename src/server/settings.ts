import { z } from "zod";
import type { Limits } from "../shared/model.ts";
import { logLevels } from "./logger.ts";

const MiB = 1024 * 1024;

/** Every default that is a fixed value; `config.ts` computes the others from these. */
const defaults = {
  host: "127.0.0.1",
  port: 8001,
  python: "python3",
  spareGuests: 8,
  requireTier: "T2",
  secondWall: "auto",
  queueTimeoutMs: 10_000,
  tenantExecutionsPerMinute: 0,
  drainMs: 30_000,
  maxConnections: 4_096,
  tenantConnections: 1_024,
  keylessConnections: 1_024,
  receiveMs: 60_000,
  sendMs: 60_000,
  tenantReceivingCalls: 256,
  tenantTransitBytes: 128 * MiB,
  transitBytes: 512 * MiB,
  toolPayloadBytes: 2 * MiB,
  toolTotalBytes: 64 * MiB,
  toolListMs: 30_000,
  executionFollowers: 16,
  tenantFollowers: 1_000,
  logLevel: "info",
  retention: {
    endedForMs: 600_000,
    tenantBytes: 32 * MiB,
    totalBytes: 256 * MiB,
    maxExecutions: 100_000,
  },
  idempotency: {
    // Google's APIs, whose rule this is (AIP-155), remember an id for as long.
    ttlMs: 3_600_000,
  },
  limits: {
    wallMs: 30_000,
    waitMs: 60_000,
    memoryBytes: 256 * MiB,
    outputBytes: 10 * MiB,
    toolCalls: 1_000,
    openToolCalls: 100,
    threads: 64,
  },
  maxLimits: {
    wallMs: 600_000,
    waitMs: 600_000,
    memoryBytes: 2_048 * MiB,
    outputBytes: 1_024 * MiB,
    toolCalls: 100_000,
    openToolCalls: 1_000,
    threads: 64,
  },
} as const;

const name = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "must be 1 to 64 of [A-Za-z0-9._-]");
const count = z.int().min(1);
// A longer timer fires at once.
const ms = z.int().min(1).max(2_147_483_647);
const path = z.string().min(1);

function limits(fallback: Omit<Limits, "activeMs">) {
  return z
    .strictObject({
      wall_ms: ms.default(fallback.wallMs),
      active_ms: ms.optional(),
      wait_ms: ms.default(fallback.waitMs),
      memory_bytes: count.default(fallback.memoryBytes),
      output_bytes: count.default(fallback.outputBytes),
      tool_calls: count.default(fallback.toolCalls),
      open_tool_calls: count.default(fallback.openToolCalls),
      threads: count.default(fallback.threads),
    })
    .prefault({})
    .transform(
      (given): Limits => ({
        wallMs: given.wall_ms,
        activeMs: given.active_ms ?? given.wall_ms,
        waitMs: given.wait_ms,
        memoryBytes: given.memory_bytes,
        outputBytes: given.output_bytes,
        toolCalls: given.tool_calls,
        openToolCalls: given.open_tool_calls,
        threads: given.threads,
      }),
    );
}

const apiKey = z.strictObject({
  key: z.string().regex(/^\S{1,512}$/, "must be 1 to 512 characters without spaces"),
  tenant: name,
});

/** A key, and the tenant that it belongs to. */
export type ApiKey = z.output<typeof apiKey>;

const toolService = z.strictObject({
  target: z.string().regex(/^(?:\[[\da-fA-F:.]+\]|[\w.-]+):\d{1,5}$/, "must be HOST:PORT"),
  api_key: z
    .string()
    .regex(/^\S{1,512}$/, "must be 1 to 512 characters without spaces")
    .optional(),
  tls: z
    .boolean()
    .or(
      z.strictObject({
        ca_file: path.optional(),
        cert_file: path.optional(),
        key_file: path.optional(),
      }),
    )
    .default(false),
  // Stock gRPC servers take a ping every 5 minutes, and end a connection that sends more.
  ping_interval_ms: ms.min(1_000).default(300_000),
});

/** How a tool service is reached. */
export type ToolServiceSettings = z.output<typeof toolService>;

/** What a configuration may say. Times are milliseconds, sizes bytes; unknown keys are faults. */
export const settingsSchema = z.strictObject({
  host: z.string().min(1).default(defaults.host),
  port: z.int().min(0).max(65_535).default(defaults.port),
  api_keys: z.array(apiKey).default([]),
  allowed_origins: z
    .array(z.string().regex(/^https?:\/\/[^/?#\s]+$/, "must be such as https://app.example:8443"))
    .default([]),
  tls: z.strictObject({ cert_file: path, key_file: path }).optional(),
  isolation: z
    .strictObject({
      require: z.enum(["T0", "T1", "T2", "T3"]).default(defaults.requireTier),
      second_wall: z.enum(["auto", "off"]).default(defaults.secondWall),
    })
    .prefault({}),
  engines: z.array(name).min(1).optional(),
  python: path.default(defaults.python),
  site_packages: z.array(path).default([]),
  spare_guests: count.default(defaults.spareGuests),
  cache_directory: path.optional(),
  memory_bytes: count.optional(),
  slots: count.optional(),
  queue_size: z.int().min(0).optional(),
  queue_timeout_ms: ms.default(defaults.queueTimeoutMs),
  tenant_slots: count.optional(),
  tenant_queue_size: z.int().min(0).optional(),
  tenant_executions_per_minute: z.int().min(0).default(defaults.tenantExecutionsPerMinute),
  tenant_log_bytes: count.optional(),
  idempotency: z
    .strictObject({
      ttl_ms: ms.default(defaults.idempotency.ttlMs),
      max_requests: count.optional(),
      outcome_bytes: count.optional(),
    })
    .prefault({}),
  default_limits: limits(defaults.limits),
  max_limits: limits(defaults.maxLimits),
  default_deadline_ms: ms.optional(),
  max_deadline_ms: ms.optional(),
  drain_ms: ms.or(z.literal(0)).default(defaults.drainMs),
  max_connections: count.default(defaults.maxConnections),
  tenant_connections: count.default(defaults.tenantConnections),
  keyless_connections: count.default(defaults.keylessConnections),
  receive_ms: ms.default(defaults.receiveMs),
  send_ms: ms.default(defaults.sendMs),
  tenant_receiving_calls: count.default(defaults.tenantReceivingCalls),
  tenant_transit_bytes: count.default(defaults.tenantTransitBytes),
  transit_bytes: count.default(defaults.transitBytes),
  tool_services: z.record(name, toolService).default({}),
  // Above 8 MiB one payload would hold up everybody else for too long.
  tool_payload_bytes: z
    .int()
    .min(1)
    .max(8 * MiB)
    .default(defaults.toolPayloadBytes),
  tool_total_bytes: count.default(defaults.toolTotalBytes),
  tool_list_ms: ms.default(defaults.toolListMs),
  execution_followers: count.default(defaults.executionFollowers),
  tenant_followers: count.default(defaults.tenantFollowers),
  retention: z
    .strictObject({
      ended_for_ms: ms.default(defaults.retention.endedForMs),
      tenant_bytes: z.int().min(0).default(defaults.retention.tenantBytes),
      total_bytes: z.int().min(0).default(defaults.retention.totalBytes),
      max_executions: count.default(defaults.retention.maxExecutions),
    })
    .prefault({}),
  log_level: z.enum(logLevels).default(defaults.logLevel),
});

/** A configuration as a file says it. */
export type Settings = z.input<typeof settingsSchema>;
