// The measured service, in a process of its own: the real server, and beside it an echo behind the
// same adapter, interceptors and listener. What it logs goes to /dev/null, as cheap as a log can be.
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { shortenCollections } from "../src/cli/collector.ts";
import { createAdapter } from "../src/server/adapter.ts";
import { createAdmission } from "../src/server/admission.ts";
import { type Config, parseConfig } from "../src/server/config.ts";
import { Connections } from "../src/server/connections.ts";
import { createGate } from "../src/server/gate.ts";
import { createAuthenticate } from "../src/server/interceptors/auth.ts";
import { createInterceptors } from "../src/server/interceptors/index.ts";
import { type Listener, listen } from "../src/server/listener.ts";
import { createLogger } from "../src/server/logger.ts";
import { createServer } from "../src/server/server.ts";
import type { Settings } from "../src/server/settings.ts";
import { Transit } from "../src/server/transit.ts";
import { echoRoutes } from "./echo.ts";
import type { Ask, Hello, LoopDelay, Usage } from "./server-process.ts";

const loopResolutionMs = 1;

function listenToEchoes(config: Config): Promise<Listener> {
  const logger = createLogger(config.logLevel);
  const authenticate = createAuthenticate(config.apiKeys);
  const { defaultDeadlineMs: defaultMs, maxDeadlineMs: maxMs } = config;
  const instanceId = "echo";
  const deadline = { defaultMs, maxMs };
  const interceptors = createInterceptors({ logger, instanceId, authenticate, deadline });
  const connections = new Connections({
    keyless: config.keylessConnections,
    perTenant: config.tenantConnections,
  });
  const handler = createAdapter({
    routes: echoRoutes,
    services: [],
    admission: createAdmission({ ...config, hasKeys: config.apiKeys.length > 0 }),
    interceptors,
    requestGate: createGate({ instanceId, authenticate, interceptors }),
    readMaxBytes: 4 * 1024 * 1024,
    times: { receiveMs: config.receiveMs, sendMs: config.sendMs, maxDeadlineMs: maxMs },
    connections,
    transit: new Transit({
      tenantBytes: config.tenantTransitBytes,
      totalBytes: config.transitBytes,
      tenantCalls: config.tenantReceivingCalls,
    }),
    logger,
  });
  return listen({
    host: config.host,
    port: 0,
    tls: undefined,
    handler,
    connections,
    maxConnections: config.maxConnections,
    closeMs: 1_000,
    handshakeMs: 10_000,
    idleMs: 300_000,
  });
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed, cpuMs: (user + system) / 1_000 };
}

const delay = monitorEventLoopDelay({ resolution: loopResolutionMs });

function loopDelay(): LoopDelay {
  delay.disable();
  // A sample is the time between two ticks of a timer; what is above its interval is delay.
  const toMs = (ns: number) => Math.max(0, ns / 1e6 - loopResolutionMs);
  return { p50: toMs(delay.percentile(50)), p99: toMs(delay.percentile(99)), max: toMs(delay.max) };
}

const answers: Readonly<Record<Ask, () => unknown>> = {
  usage,
  collect() {
    globalThis.gc?.();
    return usage();
  },
  watchLoop() {
    delay.reset();
    delay.enable();
    return {};
  },
  loopDelay,
  inUse: () => server.stats().inUse,
  queued: () => server.stats().queued,
};

shortenCollections(); // as `codemode serve` does
const [settings] = (await once(process, "message")) as [Settings];
const config = parseConfig({ ...settings, host: "127.0.0.1", port: 0 });
await using server = await createServer(config);
const echo = await listenToEchoes(config);
const disconnected = once(process, "disconnect");
process.on("message", (ask: Ask) => process.send?.(answers[ask]()));
const hello: Hello = {
  url: server.url,
  echoUrl: `http://127.0.0.1:${echo.address.port}`,
  engines: server
    .info()
    .engines.map(({ name, version, isolationTier }) => [name, version, isolationTier].join(" ")),
};
process.send?.(hello);
await disconnected;
await echo.close();
