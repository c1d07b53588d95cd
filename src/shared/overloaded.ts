import { CodemodeError } from "./errors.ts";

/** What an `overloaded` refusal tells. */
export interface OverloadOptions {
  readonly message: string;
  /** What the quota is of: see `tenantSubject`, or "execution". Default: "service", for the service is full. */
  readonly subject?: string;
  /** The quota, such as "8 executions at once". */
  readonly quota: string;
  /** When a retry may succeed, milliseconds. Default: a second, where nobody knows. */
  readonly waitMs?: number;
}

/** The subject of a quota that a tenant has used up. */
export function tenantSubject(tenant: string): string {
  return `tenant:${tenant}`;
}

/** The refusal of something for which there is no room now. */
export function overloaded({
  message,
  subject = "service",
  quota,
  waitMs = 1_000,
}: OverloadOptions): CodemodeError {
  return new CodemodeError("overloaded", message, {
    quota: [{ subject, description: quota }],
    retryAfterMs: Math.ceil(waitMs),
  });
}
