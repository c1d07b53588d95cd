import type { SecureContextOptions } from "node:tls";
import { defaultRetryPolicy, type RetryPolicy } from "../shared/backoff.ts";
import { CodemodeError, type FieldViolation } from "../shared/errors.ts";
import type { ContextVariables } from "./context.ts";
import { defaultRetryBudget, type RetryBudgetOptions } from "./retry-budget.ts";
import { structViolations } from "./struct.ts";
import type { ConnectionOptions, Protocol } from "./transport.ts";

/** How to reach a service, and what every call through the client starts from. */
export interface ConnectOptions {
  /**
   * Address of the service, "http://..." (HTTP/2 without TLS) or "https://..."; or a list of them, of
   * replicas. Calls go to the first; what does not start there goes to the next, and so do later calls.
   */
  readonly url: string | readonly string[];
  /** Key of the tenant, sent as a bearer token. Default: none. */
  readonly apiKey?: string | undefined;
  /** The longest that a call may take, retries included, milliseconds. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * How long the service lets a request wait for a slot, milliseconds; added to the deadline of
   * calls that set `limits.wallMs`. Default 10,000.
   */
  readonly queueTimeoutMs?: number | undefined;
  /**
   * How often a call that did not start is tried again; false for never. Fields left out take their
   * default: 4 attempts, waits from 100 ms doubling to 5 s, half of each wait random.
   */
  readonly retry?: RetryOptions | false | undefined;
  /**
   * Retries that all calls of the client share, against retry storms; false for no bound. Default:
   * `maxTokens` 1,000 and `tokenRatio` 0.1: a call that the service turns away takes a token, one that
   * it takes gives 0.1 back, and nothing is tried again while no more than half of the tokens are left.
   */
  readonly retryBudget?: Partial<RetryBudgetOptions> | false | undefined;
  /** Variables of every request; the weakest, see `Codemode.withContext`. Default: none. */
  readonly context?: ContextVariables | undefined;
  /** Headers of every call. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Wire protocol. Default "grpc". */
  readonly transport?: Protocol | undefined;
  /** HTTP version; "1.1" only for "connect" and "grpc-web". Default "2". */
  readonly httpVersion?: "1.1" | "2" | undefined;
  /**
   * Longest JSON text of a tool's result, bytes, at most 8 MiB; not more than the service takes
   * (its `tool_payload_bytes`). Default 2 MiB.
   */
  readonly toolPayloadBytes?: number | undefined;
  /** Certificates: `ca` of a private authority, `cert` and `key` for mutual TLS. Default: Node's own. */
  readonly tls?: Pick<SecureContextOptions, "ca" | "cert" | "key"> | undefined;
}

/** A retry policy, or part of one. */
export type RetryOptions = { readonly [K in keyof RetryPolicy]?: RetryPolicy[K] | undefined };

/** Connect options after their one check: every default is set. */
export interface Settings {
  readonly urls: readonly string[];
  readonly connection: Omit<ConnectionOptions, "url">;
  readonly headers: Headers;
  readonly timeoutMs: number;
  readonly queueTimeoutMs: number;
  readonly retry: RetryPolicy;
  /** Undefined for no bound. */
  readonly retryBudget: RetryBudgetOptions | undefined;
  readonly context: ContextVariables;
  readonly toolPayloadBytes: number;
}

/** Longest JSON text of a tool's result, bytes. */
export const defaultPayloadBytes = 2 * 1024 * 1024;
const maxPayloadBytes = 8 * 1024 * 1024;

/** Checks connect options and fills their defaults; throws `invalid_request` naming every fault. */
export function toSettings(options: ConnectOptions): Settings {
  const { timeoutMs = 60_000, queueTimeoutMs = 10_000, context = {} } = options;
  const { transport = "grpc", httpVersion = "2" } = options;
  const { toolPayloadBytes = defaultPayloadBytes } = options;
  const urls = typeof options.url === "string" ? [options.url] : (options.url ?? []);
  refuse([
    ...urlsViolations(urls),
    ...durationViolations(timeoutMs, "timeoutMs"),
    ...durationViolations(queueTimeoutMs, "queueTimeoutMs"),
    ...retryViolations(options.retry),
    ...budgetViolations(options.retryBudget),
    ...headerViolations(options.headers),
    ...structViolations(context, "context"),
    ...payloadViolations(toolPayloadBytes),
    ...(options.apiKey === undefined || /^[\x21-\x7e]+$/.test(options.apiKey)
      ? []
      : [{ field: "apiKey", description: "expected visible ASCII characters" }]),
    ...(transport === "grpc" && httpVersion === "1.1"
      ? [{ field: "httpVersion", description: "gRPC needs HTTP/2; take connect or grpc-web" }]
      : []),
  ]);
  const headers = new Headers(options.headers);
  if (options.apiKey !== undefined) headers.set("authorization", `Bearer ${options.apiKey}`);
  return {
    urls,
    connection: { protocol: transport, httpVersion, tls: options.tls ?? {} },
    headers,
    timeoutMs,
    queueTimeoutMs,
    retry: mergeRetry(defaultRetryPolicy, options.retry),
    retryBudget:
      options.retryBudget === false
        ? undefined
        : { ...defaultRetryBudget, ...withoutUndefined(options.retryBudget ?? {}) },
    context,
    toolPayloadBytes,
  };
}

/** Faults of a limit of payloads. */
export function payloadViolations(bytes: number): FieldViolation[] {
  const isGood = Number.isSafeInteger(bytes) && bytes > 0 && bytes <= maxPayloadBytes;
  const description = `expected 1 to ${maxPayloadBytes} bytes`;
  return isGood ? [] : [{ field: "toolPayloadBytes", description }];
}

/** Throws `invalid_request` that names every fault; without effect when there is none. */
export function refuse(violations: readonly FieldViolation[]): void {
  if (violations.length === 0) return;
  const message = violations.map(({ field, description }) => `${field}: ${description}`).join("; ");
  throw new CodemodeError("invalid_request", message, { violations });
}

/** A policy with some of its fields replaced; false means one attempt. */
export function mergeRetry(
  base: RetryPolicy,
  retry: RetryOptions | false | undefined,
): RetryPolicy {
  if (retry === false) return { ...base, maxAttempts: 1 };
  return { ...base, ...withoutUndefined(retry ?? {}) };
}

/** The object without its undefined properties. */
export function withoutUndefined<T extends object>(
  value: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const set = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(set) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** The longest time that a call can have, milliseconds: the `grpc-timeout` header holds 8 digits. */
export const maxTimeoutMs = 99_999_999;

/** Faults of a time in milliseconds. */
export function durationViolations(value: unknown, field: string): FieldViolation[] {
  const isGood = typeof value === "number" && value > 0 && value <= maxTimeoutMs;
  if (isGood) return [];
  return [{ field, description: `expected milliseconds, above 0 and at most ${maxTimeoutMs}` }];
}

/** Faults of a retry option. */
export function retryViolations(retry: RetryOptions | false | undefined): FieldViolation[] {
  if (retry === undefined || retry === false) return [];
  const { maxAttempts = 1, baseMs = 0, maxMs = 0, jitter = 0 } = retry;
  const description = (expected: string) => `expected ${expected}`;
  return [
    ...(Number.isSafeInteger(maxAttempts) && maxAttempts >= 1
      ? []
      : [{ field: "retry.maxAttempts", description: description("an integer from 1") }]),
    ...(baseMs >= 0 ? [] : [{ field: "retry.baseMs", description: description("0 or more") }]),
    ...(maxMs >= 0 ? [] : [{ field: "retry.maxMs", description: description("0 or more") }]),
    ...(jitter >= 0 && jitter <= 1
      ? []
      : [{ field: "retry.jitter", description: description("0 to 1") }]),
  ];
}

/** Faults of a record of headers. */
export function headerViolations(
  headers: Readonly<Record<string, string>> | undefined,
): FieldViolation[] {
  return Object.entries(headers ?? {}).flatMap(([name, value]) => {
    try {
      new Headers([[name, value]]);
      return [];
    } catch {
      // The error's own text quotes the value, which may be a secret.
      return [{ field: `headers.${name}`, description: "not a valid header" }];
    }
  });
}

function budgetViolations(budget: ConnectOptions["retryBudget"]): FieldViolation[] {
  if (budget === undefined || budget === false) return [];
  const { maxTokens = 1, tokenRatio = 1 } = budget;
  const description = "expected a number above 0";
  return [
    ...(maxTokens > 0 ? [] : [{ field: "retryBudget.maxTokens", description }]),
    ...(tokenRatio > 0 ? [] : [{ field: "retryBudget.tokenRatio", description }]),
  ];
}

function urlsViolations(urls: readonly unknown[]): FieldViolation[] {
  if (urls.length === 1) return urlViolations(urls[0], "url");
  if (urls.length === 0) return [{ field: "url", description: "expected one at least" }];
  return urls.flatMap((url, index) => urlViolations(url, `url[${index}]`));
}

function urlViolations(url: unknown, field: string): FieldViolation[] {
  const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    return [{ field, description: `expected http://host:port or https://host:port, got ${url}` }];
  }
  if (parsed.username !== "" || parsed.password !== "") {
    return [{ field, description: "credentials do not belong in the url; pass apiKey" }];
  }
  if (parsed.search !== "" || parsed.hash !== "") {
    return [{ field, description: "a query or a fragment does not belong in the url" }];
  }
  return [];
}
