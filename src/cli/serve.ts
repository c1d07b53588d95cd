import { Command } from "commander";
import { loadConfig } from "../server/config.ts";
import { createLogger } from "../server/logger.ts";
import { createServer, type ServerOptions } from "../server/server.ts";
import type { ServerInfo } from "../shared/model.ts";
import { shortenCollections } from "./collector.ts";

/** `codemode serve`: runs the service until it is told to stop. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("run the service until SIGTERM or SIGINT; a second signal ends it at once")
    .option("--config <file>", "a YAML file of settings (default: $CODEMODE_CONFIG)")
    .action(({ config }: { config?: string }) => serve(config));
}

/** Serves until a signal, then drains. Rejects where the service cannot start. */
export async function serve(
  file: string | undefined,
  options: Pick<ServerOptions, "executors"> = {},
): Promise<void> {
  shortenCollections();
  const config = await loadConfig({ file });
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

/** Resolves on the first signal to stop; the second ends the process. */
function untilSignal(): Promise<NodeJS.Signals> {
  const first = Promise.withResolvers<NodeJS.Signals>();
  let count = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    count += 1;
    if (count > 1) process.exit(1);
    first.resolve(signal);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return first.promise;
}
