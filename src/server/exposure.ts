import { BlockList, isIP } from "node:net";
import { CodemodeError } from "../shared/errors.ts";
import type { Config } from "./config.ts";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Throws where the configuration would let strangers run programs: no keys on an open address. */
export function checkExposure({ host, apiKeys }: Pick<Config, "host" | "apiKeys">): void {
  if (apiKeys.length > 0 || isLoopback(host)) return;
  throw new CodemodeError(
    "invalid_request",
    `no api keys are configured, so only a loopback address may be served, not ${host}`,
  );
}

/** Whether a host name or address is of this machine alone. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === "localhost";
  return loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}
