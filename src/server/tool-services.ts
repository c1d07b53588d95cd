import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import type { ToolServices } from "../tools/tool-service.ts";
import type { ToolServiceTarget } from "../tools/tool-service-client.ts";
import { createToolServices } from "../tools/tool-services.ts";
import type { Config } from "./config.ts";
import type { ToolServiceSettings } from "./settings.ts";

// A guest may call unknown names in a row: its service is asked about them once a second at most.
const listFreshMs = 1_000;
const listTimeoutMs = 5_000;
const retry = { maxAttempts: 3, baseMs: 50, maxMs: 1_000, jitter: 0.5 };

/** The configured tool services. Rejects where a file of their TLS cannot be read. */
export async function openToolServices(config: Config, logger: Logger): Promise<ToolServices> {
  const entries = Object.entries(config.toolServices);
  const targets = await Promise.all(entries.map(([name, settings]) => toTarget(name, settings)));
  for (const { name, url, apiKey } of targets) {
    if (apiKey !== undefined && url.startsWith("http:"))
      logger.warn(`the api key of the tool service ${name} is sent without TLS`);
  }
  const { toolPayloadBytes: payloadBytes, toolListMs: listMaxAgeMs } = config;
  const times = { listMaxAgeMs, listFreshMs, listTimeoutMs };
  const onReach = (toolService: string, why: string | undefined) => {
    if (why === undefined) logger.info({ toolService }, "a tool service is reached");
    else logger.warn({ toolService, why }, "a tool service cannot be reached");
  };
  return createToolServices(targets, { payloadBytes, ...times, retry, onReach });
}

async function toTarget(
  name: string,
  { target, api_key: apiKey, tls, ping_interval_ms: pingIntervalMs }: ToolServiceSettings,
): Promise<ToolServiceTarget> {
  const common = { name, apiKey, pingIntervalMs };
  if (tls === false) return { ...common, url: `http://${target}`, tls: {} };
  const files = tls === true ? {} : { ca: tls.ca_file, cert: tls.cert_file, key: tls.key_file };
  const read = await Promise.all(
    Object.entries(files).flatMap(([part, file]) =>
      file === undefined ? [] : [readFile(file).then((pem) => [part, pem] as const)],
    ),
  );
  return { ...common, url: `https://${target}`, tls: Object.fromEntries(read) };
}
