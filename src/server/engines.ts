import type { Logger } from "pino";
import type { Executor } from "../executors/executor.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { EngineInfo } from "../shared/model.ts";
import type { Config } from "./config.ts";

/**
 * Starts the engines of a configuration. Rejects where one that it names cannot be up, or where it
 * names none and not a single one can.
 */
export async function startEngines(config: Config, logger: Logger): Promise<readonly Executor[]> {
  // Loaded here, so that a server with executors of its own needs none of it.
  const { createEngines } = await import("../executors/engines.ts");
  await using starting = new AsyncDisposableStack();
  const executors = await createEngines({
    engines: config.engines,
    requireTier: config.requiredIsolationTier,
    secondWall: config.secondWall,
    python: config.python,
    sitePackages: config.sitePackages,
    toolPayloadBytes: config.toolPayloadBytes,
    spareGuests: config.spareGuests,
    memoryBytes: config.memoryBytes,
    cacheDirectory: config.cacheDirectory,
    onWarning: (message) => logger.warn(message),
  });
  for (const executor of executors) starting.use(executor);
  const infos = executors.map((executor) => executor.info());
  const down = infos.filter(({ up }) => !up);
  const mustBeUp = config.engines !== undefined;
  if (down.length > (mustBeUp ? 0 : infos.length - 1)) {
    throw new CodemodeError("unavailable", down.map(whyDown).join("; "), { retryable: false });
  }
  const served = new Set(infos.filter(({ up }) => up).flatMap(({ languages }) => languages));
  for (const info of down) {
    const isMissed = !info.languages.every((language) => served.has(language));
    logger[isMissed ? "warn" : "info"](whyDown(info));
  }
  starting.move();
  return executors;
}

function whyDown({ name, reason }: EngineInfo): string {
  return `engine ${name} is not up: ${reason}`;
}
