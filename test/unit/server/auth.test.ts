import { expect, it } from "vitest";
import { ExecutorService } from "../../../gen/es/codemode/v1/executor_pb.ts";
import { Health } from "../../../gen/es/health/v1/health_pb.ts";
import { createAuthenticate } from "../../../src/server/interceptors/auth.ts";

const authenticate = createAuthenticate([
  { key: "key-of-acme", tenant: "acme" },
  { key: "key-of-globex", tenant: "globex" },
]);
const bearing = (authorization: string) => new Headers({ authorization });

it.each([
  ["Bearer key-of-acme", "acme"],
  ["bearer key-of-globex", "globex"],
  ["Bearer   key-of-acme ", "acme"],
  ["Bearer key-of-nobody", undefined],
  ["Bearer key-of-acm", undefined],
  ["Bearer", undefined],
  ["Bearer ", undefined],
  ["Basic key-of-acme", undefined],
  ["key-of-acme", undefined],
])("%j is the tenant %s", (authorization, tenant) => {
  expect(authenticate(ExecutorService, bearing(authorization))).toBe(tenant);
});

it("refuses a call without a key", () => {
  expect(authenticate(ExecutorService, new Headers())).toBeUndefined();
});

it.each([
  [{ "x-api-key": "key-of-acme" }, "acme"],
  [{ "x-api-key": "key-of-nobody" }, undefined],
  [{ authorization: "Bearer key-of-acme", "x-api-key": "key-of-acme" }, "acme"],
  [{ authorization: "Bearer key-of-acme", "x-api-key": "key-of-globex" }, undefined],
  [{ authorization: "Bearer key-of-nobody", "x-api-key": "key-of-acme" }, undefined],
  [{ authorization: "Basic x", "x-api-key": "key-of-acme" }, undefined],
])("takes x-api-key where there is no other key: %j is the tenant %s", (headers, tenant) => {
  expect(authenticate(ExecutorService, new Headers(headers))).toBe(tenant);
});

it("asks no key for health", () => {
  expect(authenticate(Health, new Headers())).toBe("default");
});

it("knows every call as the default tenant where no keys are configured", () => {
  expect(createAuthenticate([])(ExecutorService, new Headers())).toBe("default");
});
