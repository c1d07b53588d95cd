import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import type { ConnectRouter } from "@connectrpc/connect";
import type { Logger } from "pino";
import { ExecutorService } from "../../gen/es/codemode/v1/executor_pb.ts";
import { Health } from "../../gen/es/health/v1/health_pb.ts";
import type { DispatchStats } from "../dispatch/dispatcher.ts";
import { createLocalDispatcher } from "../dispatch/local.ts";
import { createMemoryStore } from "../execution/memory-store.ts";
import type { Executor } from "../executors/executor.ts";
import { createExecutions, type ExecutionStats, type Executions } from "../service/executions.ts";
import { createExecutorService } from "../service/executor-service.ts";
import { createHealth } from "../service/health.ts";
import { createIdempotency } from "../service/idempotency.ts";
import { IdempotencyTable } from "../service/idempotency-table.ts";
import type { RequestBounds } from "../service/request.ts";
import { startDeadline } from "../shared/abort.ts";
import type { ServerInfo } from "../shared/model.ts";
import { type AdapterOptions, createAdapter, type RequestHandler } from "./adapter.ts";
import { createAdmission } from "./admission.ts";
import type { Config } from "./config.ts";
import { Connections } from "./connections.ts";
import { startEngines } from "./engines.ts";
import { checkExposure } from "./exposure.ts";
import { createGate } from "./gate.ts";
import { createAuthenticate } from "./interceptors/auth.ts";
import { createInterceptors } from "./interceptors/index.ts";
import { listen } from "./listener.ts";
import { createLogger } from "./logger.ts";
import { openToolServices } from "./tool-services.ts";
import { Transit } from "./transit.ts";
import { version } from "./version.ts";

const maxCodeBytes = 1024 * 1024;
// The longest code, as JSON escapes it, with context and config; or as much of tools.
const requestBytes = 4 * 1024 * 1024;
const closeMs = 2_000;
const handshakeMs = 10_000;
const idleMs = 300_000;

/** What a server may be given beside its configuration. */
export interface ServerOptions {
  /** Take the place of the configured engines, in order of preference. They stay the caller's to dispose. */
  readonly executors?: readonly Executor[];
  /** Default: JSON lines on stdout at the configured level. */
  readonly logger?: Logger;
}

/** What a server holds at this moment. */
export interface ServerStats extends DispatchStats, ExecutionStats {
  readonly connections: number;
  /** Calls of HTTP/2 that are open. */
  readonly streams: number;
  /** Bytes of messages half received, and of answers not taken. */
  readonly transitBytes: number;
  /** Tool calls and answers that were refused so far, without effect. */
  readonly refusedToolCalls: number;
  readonly refusedToolAnswers: number;
}

/** A running service. Disposing it ends at once what still runs; disposing it again does nothing. */
export interface Server extends AsyncDisposable {
  /** Such as "http://127.0.0.1:8001". */
  readonly url: string;
  readonly address: AddressInfo;
  info(): ServerInfo;
  stats(): ServerStats;
  /** Takes no more programs, and waits for those that run, at most the configured `drainMs`. */
  drain(): Promise<void>;
}

/**
 * Starts the service. Rejects where the configuration would serve strangers without a key, an engine
 * cannot reach the required isolation, or the port cannot be had.
 */
export async function createServer(config: Config, options: ServerOptions = {}): Promise<Server> {
  const logger = options.logger ?? createLogger(config.logLevel);
  checkExposure(config);
  if (config.apiKeys.length === 0)
    logger.warn("no api keys are configured: only loopback is served, to the tenant default");
  const tls = config.tls && {
    cert: await readFile(config.tls.certFile),
    key: await readFile(config.tls.keyFile),
  };

  await using starting = new AsyncDisposableStack();
  const executors = options.executors ?? (await startEngines(config, logger));
  if (options.executors === undefined) for (const executor of executors) starting.use(executor);
  const toolServices = starting.use(await openToolServices(config, logger));
  const instanceId = randomBytes(5).toString("hex");
  const bounds: RequestBounds = {
    defaultLimits: config.defaultLimits,
    maxLimits: config.maxLimits,
    maxCodeBytes,
    // Kept so long, an execution is kept to its end, whatever its wall limit.
    maxKeepWithoutReaderMs: config.maxLimits.wallMs,
    languages: [...new Set(executors.flatMap((executor) => executor.info().languages))],
    toolServices: toolServices.names,
  };
  const dispatcher = starting.use(
    createLocalDispatcher({
      ...pick(config),
      executors,
      logBytes: (tenant) => executions.logBytes(tenant),
    }),
  );
  const executions: Executions = starting.use(
    createExecutions({
      dispatcher,
      store: createMemoryStore(),
      instanceId,
      queueTimeoutMs: config.queueTimeoutMs,
      engineInfo: (name) =>
        executors.map((executor) => executor.info()).find((info) => info.name === name),
      toolServices,
      payloads: {
        payloadBytes: config.toolPayloadBytes,
        totalPayloadBytes: config.toolTotalBytes,
      },
      retention: config.retention,
      followerBounds: {
        perExecution: config.executionFollowers,
        perTenant: config.tenantFollowers,
      },
      maxKnown: config.retention.maxExecutions,
    }),
  );
  const info = (): ServerInfo => ({
    version,
    instanceId,
    engines: executors.map((executor) => executor.info()),
    defaultLimits: bounds.defaultLimits,
    maxLimits: bounds.maxLimits,
    maxCodeBytes,
    maxKeepWithoutReaderMs: bounds.maxKeepWithoutReaderMs,
    requiredIsolationTier: config.requiredIsolationTier,
    queueTimeoutMs: config.queueTimeoutMs,
  });
  const health = createHealth([ExecutorService.typeName]);
  const table = new IdempotencyTable({ ...config.idempotency, tenants: config.tenants });
  const idempotency = createIdempotency({ executions, table });
  const service = createExecutorService({ executions, idempotency, serverInfo: info, bounds });
  const connections = new Connections({
    keyless: config.keylessConnections,
    perTenant: config.tenantConnections,
  });
  const transit = new Transit({
    tenantBytes: config.tenantTransitBytes,
    totalBytes: config.transitBytes,
    tenantCalls: config.tenantReceivingCalls,
  });
  const edge = { logger, connections, transit };
  const handler = createHandler(config, { ...edge, instanceId }, (router) => {
    router.service(ExecutorService, service).service(Health, health.service);
  });
  const { host, port, maxConnections } = config;
  const times = { closeMs, handshakeMs, idleMs };
  const listener = await listen({
    host,
    port,
    tls,
    handler,
    connections,
    maxConnections,
    ...times,
  });
  starting.defer(() => listener.close());

  const resources = starting.move();
  const drain = async () => {
    health.stop();
    connections.drain();
    using deadline = startDeadline({ ms: config.drainMs, reason: undefined });
    await dispatcher.drain(deadline.signal);
  };
  const dispose = async () => {
    health.stop();
    // Admits nothing more, and waits for nothing.
    await dispatcher.drain(AbortSignal.abort());
    await executions.stopAll();
    health.close();
    await resources.disposeAsync();
  };
  let draining: Promise<void> | undefined;
  let disposing: Promise<void> | undefined;
  return {
    url: toUrl(listener.address, tls !== undefined),
    address: listener.address,
    info,
    stats: () => ({
      ...dispatcher.stats(),
      ...executions.stats(),
      connections: connections.size,
      streams: listener.streams(),
      transitBytes: transit.bytes,
      refusedToolCalls: executions.refusals.calls,
      refusedToolAnswers: executions.refusals.answers,
    }),
    drain: () => (draining ??= drain()),
    [Symbol.asyncDispose]: () => (disposing ??= dispose()),
  };
}

function createHandler(
  config: Config,
  {
    instanceId,
    ...edge
  }: Pick<AdapterOptions, "logger" | "connections" | "transit"> & { readonly instanceId: string },
  routes: (router: ConnectRouter) => void,
): RequestHandler {
  const authenticate = createAuthenticate(config.apiKeys);
  const { defaultDeadlineMs: defaultMs, maxDeadlineMs: maxMs } = config;
  const { logger } = edge;
  const deadline = { defaultMs, maxMs };
  const interceptors = createInterceptors({ logger, instanceId, authenticate, deadline });
  const requestGate = createGate({ instanceId, authenticate, interceptors });
  return createAdapter({
    routes,
    services: [ExecutorService.typeName, Health.typeName],
    admission: createAdmission({ ...config, hasKeys: config.apiKeys.length > 0 }),
    interceptors,
    requestGate,
    // A result in a JSON message has its quotes escaped; one that is a little too large is told so.
    readMaxBytes: Math.max(2 * requestBytes, requestBytes + 2 * config.toolPayloadBytes),
    times: { receiveMs: config.receiveMs, sendMs: config.sendMs, maxDeadlineMs: maxMs },
    ...edge,
  });
}

function pick(config: Config) {
  const { slots, queueSize, tenantSlots, isShared } = config;
  const { tenantQueueSize, tenantExecutionsPerMinute, tenantLogBytes } = config;
  const quotas = { tenantQueueSize, tenantExecutionsPerMinute, tenantLogBytes };
  return { slots, queueSize, tenantSlots, isShared, ...quotas };
}

function toUrl({ address, port, family }: AddressInfo, isSecure: boolean): string {
  const host = family === "IPv6" ? `[${address}]` : address;
  return `${isSecure ? "https" : "http"}://${host}:${port}`;
}
