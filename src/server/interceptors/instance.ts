import type { Interceptor } from "@connectrpc/connect";
import { CodemodeError } from "../../shared/errors.ts";
import { instanceTrailer } from "../../shared/status.ts";
import { around } from "./around.ts";

/**
 * Refuses a call that names the instance that it is meant for and is not for this one, as
 * `unavailable`: behind a balancer a request that is sent again may come to another instance.
 */
export function instanceInterceptor({ instanceId }: { readonly instanceId: string }): Interceptor {
  return around(({ header }) => {
    const meant = header.get(instanceTrailer);
    if (meant === null || meant === instanceId) return {};
    throw new CodemodeError("unavailable", "the call is meant for another instance");
  });
}
