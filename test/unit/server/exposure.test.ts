import { expect, it } from "vitest";
import { checkExposure } from "../../../src/server/exposure.ts";

const apiKeys = [{ key: "k", tenant: "acme" }];

it.each(["127.0.0.1", "127.8.9.1", "::1", "localhost"])("serves %s without keys", (host) => {
  expect(() => checkExposure({ host, apiKeys: [] })).not.toThrow();
});

it.each(["0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.example.org"])(
  "refuses %s without keys, and serves it with one",
  (host) => {
    expect(() => checkExposure({ host, apiKeys: [] })).toThrow(
      `no api keys are configured, so only a loopback address may be served, not ${host}`,
    );
    expect(() => checkExposure({ host, apiKeys })).not.toThrow();
  },
);
