import { createHash, timingSafeEqual } from "node:crypto";
import type { DescService } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { Health } from "../../../gen/es/health/v1/health_pb.ts";
import { callKey, getCall } from "../../service/call.ts";
import { CodemodeError } from "../../shared/errors.ts";
import type { ApiKey } from "../settings.ts";
import { around } from "./around.ts";

/** The tenant of a call, or undefined where its key is missing or unknown. */
export type Authenticate = (service: DescService, header: Headers) => string | undefined;

/**
 * Knows tenants by `authorization: Bearer KEY` or `x-api-key: KEY`; compares in constant time. With no keys every call is
 * the tenant "default". Health needs no key: load balancers ask it.
 */
export function createAuthenticate(apiKeys: readonly ApiKey[]): Authenticate {
  const known = apiKeys.map(({ key, tenant }) => ({ digest: sha256(key), tenant }));
  return (service, header) => {
    if (known.length === 0 || service.typeName === Health.typeName) return "default";
    const given = sha256(keyOf(header));
    let tenant: string | undefined;
    for (const candidate of known) {
      if (timingSafeEqual(candidate.digest, given)) tenant = candidate.tenant;
    }
    return tenant;
  };
}

/** The key that a call shows as a bearer token or, without one, as `x-api-key`; two that differ are none. */
function keyOf(header: Headers): string {
  const authorization = header.get("authorization");
  const plain = header.get("x-api-key");
  if (authorization === null) return plain ?? "";
  const token = /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? "";
  return plain === null || plain === token ? token : "";
}

/** Refuses calls without a valid key, and puts the tenant into the `Call`. */
export function authInterceptor({ authenticate }: { authenticate: Authenticate }): Interceptor {
  return around(({ service, header, contextValues }) => {
    const tenant = authenticate(service, header);
    if (tenant === undefined) throw unauthenticated();
    contextValues.set(callKey, { ...getCall(contextValues), tenant });
    return {};
  });
}

/** The error of a call without a valid key. */
export function unauthenticated(): CodemodeError {
  return new CodemodeError("unauthenticated", "a valid api key is required as a bearer token");
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
