import type { Logger } from "pino";
import type { Executor } from "../executors/executor.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { Config } from "./config.ts";

/** Starts the engines that a configuration names. Rejects where one of them cannot be up. */
export async function startEngines(config: Config, logger: Logger): Promise<readonly Executor[]> {
  // Loaded here, so that a server with executors of its own needs none of it.
  const { createEngines } = await import("../executors/engines.ts");
  await using starting = new AsyncDisposableStack();
  const executors = await createEngines({
    engines: config.engines,
    requireTier: config.requiredIsolationTier,
    python: config.python,
    sitePackages: config.sitePackages,
    toolPayloadBytes: config.toolPayloadBytes,
    spareGuests: config.spareGuests,
    onWarning: (message) => logger.warn(message),
  });
  for (const executor of executors) starting.use(executor);
  const down = executors.map((executor) => executor.info()).filter(({ up }) => !up);
  if (down.length > 0) {
    const why = down.map(({ name, reason }) => `engine ${name} is not up: ${reason}`);
    throw new CodemodeError("unavailable", why.join("; "), { retryable: false });
  }
  starting.move();
  return executors;
}
