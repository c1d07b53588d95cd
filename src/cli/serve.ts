import { Command } from "commander";
import { loadConfig } from "../server/config.ts";
import { createLogger } from "../server/logger.ts";
import { createServer, type ServerOptions } from "../server/server.ts";
import type { ServerInfo } from "../shared/model.ts";
import { parsePort } from "./arguments.ts";
import { shortenCollections } from "./collector.ts";

/** `codemode serve`: runs the service until it is told to stop. */
export function serveCommand(): Command {
  return new Command("serve")
    .description(
      "run the service until SIGTERM, SIGINT or SIGHUP; a second SIGTERM or SIGINT ends it at once",
    )
    .option("--config <file>", "a YAML file of settings (default: $CODEMODE_CONFIG)")
    .option("--host <host>", "the address to listen on, over the setting `host`")
    .option("--port <port>", "the port to listen on, over the setting `port`; 0 for any", parsePort)
    .action((options: ServeOptions) => serve(options));
}

/** What `codemode serve` was asked for. */
export interface ServeOptions {
  /** A YAML file of settings. */
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
}

/** Serves until a signal, then drains. Rejects where the service cannot start. */
export async function serve(
  { config: file, host, port }: ServeOptions,
  options: Pick<ServerOptions, "executors"> = {},
): Promise<void> {
  shortenCollections();
  const overrides = { ...(host !== undefined && { host }), ...(port !== undefined && { port }) };
  const config = await loadConfig({ file, overrides });
  const logger = createLogger(config.logLevel);
  const stopped = untilSignal();
  await using server = await createServer(config, { ...options, logger });
  const { engines, requiredIsolationTier } = server.info();
  logger.info(
    {
      url: server.url,
      engines: engines.map(({ name, version, isolationTier }) => ({
        name,
        version,
        isolationTier,
      })),
      requiredIsolationTier,
      slots: config.slots,
    },
    `codemode serves on ${server.url}: ${describeEngines(engines)}`,
  );
  const signal = await stopped;
  logger.info({ signal, inUse: server.stats().inUse }, "draining");
  await server.drain();
}

/** Engines and what their probes proved, such as "cpython 3.11.7 (T2)". */
export function describeEngines(engines: ServerInfo["engines"]): string {
  return engines
    .filter(({ up }) => up)
    .map(({ name, version, isolationTier }) =>
      [name, version, `(${isolationTier ?? "no tier"})`].filter(Boolean).join(" "),
    )
    .join(", ");
}

/** Resolves on the first signal to stop; a second SIGTERM or SIGINT ends the process. */
function untilSignal(): Promise<NodeJS.Signals> {
  const first = Promise.withResolvers<NodeJS.Signals>();
  let count = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    count += 1;
    // A terminal that is closed hangs up more than once.
    if (count > 1 && signal !== "SIGHUP") process.exit(1);
    first.resolve(signal);
  };
  process.on("SIGHUP", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return first.promise;
}
