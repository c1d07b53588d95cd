import type { IncomingHttpHeaders } from "node:http";

const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** The longest deadline: a timer of Node takes no more, and one beyond it fires at once. */
export const longestDeadlineMs = 2 ** 31 - 1;

/**
 * Shortens the deadlines in request headers to `maxMs`. Connect would arm a timer with them as they
 * are, so none passes `longestDeadlineMs`; malformed ones are left to Connect to refuse.
 */
export function capTimeouts(headers: IncomingHttpHeaders, maxMs: number): void {
  const most = Math.floor(Math.min(maxMs, longestDeadlineMs));
  const grpc = /^(\d{1,8})([HMSmun])$/.exec(String(headers["grpc-timeout"] ?? ""));
  const grpcMs = Number(grpc?.[1]) * (unitMs[grpc?.[2] ?? ""] ?? Number.NaN);
  if (grpcMs > most) headers["grpc-timeout"] = grpcTimeout(most);
  const connect = /^\d{1,10}$/.exec(String(headers["connect-timeout-ms"] ?? ""));
  if (Number(connect?.[0]) > most) headers["connect-timeout-ms"] = String(most);
}

/** Whole seconds: rounded up, so that the server's own deadline, which says why, is the first. */
function grpcTimeout(ms: number): string {
  return `${Math.min(Math.ceil(ms / 1_000), Math.floor(longestDeadlineMs / 1_000))}S`;
}
