import type { Interceptor } from "@connectrpc/connect";
import { Health } from "../../../gen/es/health/v1/health_pb.ts";
import { startDeadline } from "../../shared/abort.ts";
import { CodemodeTimeoutError } from "../../shared/errors.ts";
import { around } from "./around.ts";

/** Options of `deadlineInterceptor`, milliseconds. */
export interface DeadlineInterceptorOptions {
  /** For calls that set no deadline. */
  readonly defaultMs: number;
  /** Longer deadlines are shortened to this. */
  readonly maxMs: number;
}

/** Gives every call a deadline. Health is left out: a watch is meant to stay open. */
export function deadlineInterceptor({ defaultMs, maxMs }: DeadlineInterceptorOptions): Interceptor {
  return around(({ service, header, signal }) => {
    if (service.typeName === Health.typeName) return {};
    const isAsked = header.has("grpc-timeout") || header.has("connect-timeout-ms");
    const ms = isAsked ? maxMs : defaultMs;
    const deadline = startDeadline({
      ms,
      parent: signal,
      reason: new CodemodeTimeoutError(
        `the call took longer than the server's ${isAsked ? "longest" : "default"} deadline of ${ms} ms`,
      ),
    });
    return { signal: deadline.signal, close: () => deadline[Symbol.dispose]() };
  });
}
