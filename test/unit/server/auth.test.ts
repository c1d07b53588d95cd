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

it("asks no key for health", () => {
  expect(authenticate(Health, new Headers())).toBe("default");
});

it("knows every call as the default tenant where no keys are configured", () => {
  expect(createAuthenticate([])(ExecutorService, new Headers())).toBe("default");
});
