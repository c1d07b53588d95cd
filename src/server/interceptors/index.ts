import type { Interceptor } from "@connectrpc/connect";
import type { Logger } from "pino";
import { type Authenticate, authInterceptor } from "./auth.ts";
import { callInterceptor } from "./call.ts";
import { type DeadlineInterceptorOptions, deadlineInterceptor } from "./deadline.ts";
import { errorsInterceptor } from "./errors.ts";
import { instanceInterceptor } from "./instance.ts";

/** Options of `createInterceptors`. */
export interface InterceptorOptions {
  readonly logger: Logger;
  /** What calls for one instance only may name. */
  readonly instanceId: string;
  readonly authenticate: Authenticate;
  readonly deadline: DeadlineInterceptorOptions;
}

/** The interceptors of every call; the first is outermost. */
export function createInterceptors(options: InterceptorOptions): Interceptor[] {
  return [
    errorsInterceptor(options),
    callInterceptor(options),
    authInterceptor(options),
    instanceInterceptor(options),
    deadlineInterceptor(options.deadline),
  ];
}
