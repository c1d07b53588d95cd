import type { IncomingHttpHeaders } from "node:http";

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/**
 * Shortens the deadlines in request headers to `maxMs`. Connect would arm a timer with them as they
 * are, and one beyond 24 days fires at once; malformed ones are left to Connect to refuse.
 */
export function capTimeouts(headers: IncomingHttpHeaders, maxMs: number): void {
  const grpc = /^(\d{1,8})([HMSmun])$/.exec(String(headers["grpc-timeout"] ?? ""));
  const grpcMs = Number(grpc?.[1]) * (unitMs[grpc?.[2] ?? ""] ?? Number.NaN);
  if (grpcMs > maxMs) headers["grpc-timeout"] = `${Math.ceil(maxMs / 1_000)}S`;
  const connect = /^\d{1,10}$/.exec(String(headers["connect-timeout-ms"] ?? ""));
  if (Number(connect?.[0]) > maxMs) headers["connect-timeout-ms"] = String(maxMs);
}
