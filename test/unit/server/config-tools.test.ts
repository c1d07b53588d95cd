import { expect, it } from "vitest";
import { loadConfig, parseConfig } from "../../../src/server/config.ts";
import type { Settings } from "../../../src/server/settings.ts";
import { CodemodeError } from "../../../src/shared/errors.ts";

const MiB = 1024 * 1024;
const ping_interval_ms = 300_000;

function violations(settings: Settings): Record<string, string> {
  try {
    parseConfig(settings);
  } catch (error) {
    if (!CodemodeError.is(error)) throw error;
    return Object.fromEntries(
      error.violations.map(({ field, description }) => [field, description]),
    );
  }
  return {};
}

it("has no tool services and payloads of 2 MiB where nothing is said", () => {
  expect(parseConfig()).toMatchObject({
    toolServices: {},
    toolPayloadBytes: 2 * MiB,
    toolTotalBytes: 64 * MiB,
    toolListMs: 30_000,
  });
});

it("knows tool services by name", () => {
  const { toolServices } = parseConfig({
    tool_services: {
      default: { target: "tools.internal:9000", api_key: "k", tls: true },
      local: { target: "[::1]:9000" },
      own: { target: "10.0.0.1:9000", tls: { ca_file: "/ca", cert_file: "/c", key_file: "/k" } },
    },
  });
  expect(toolServices).toEqual({
    default: { target: "tools.internal:9000", api_key: "k", tls: true, ping_interval_ms },
    local: { target: "[::1]:9000", tls: false, ping_interval_ms },
    own: {
      target: "10.0.0.1:9000",
      tls: { ca_file: "/ca", cert_file: "/c", key_file: "/k" },
      ping_interval_ms,
    },
  });
});

it("reads tool services as JSON from the environment, which wins over the file", async () => {
  const config = await loadConfig({
    env: {
      CODEMODE_TOOL_SERVICES: '{"crm":{"target":"127.0.0.1:9000","api_key":"k"}}',
      CODEMODE_TOOL_PAYLOAD_BYTES: String(8 * MiB),
    },
  });
  expect(config.toolServices).toEqual({
    crm: { target: "127.0.0.1:9000", api_key: "k", tls: false, ping_interval_ms },
  });
  expect(config.toolPayloadBytes).toBe(8 * MiB);
});

it("names the variable, and never a key, when that is not JSON", async () => {
  const env = { CODEMODE_TOOL_SERVICES: '{"crm":{"api_key":"secret"' };
  const error = await loadConfig({ env }).catch((reason: Error) => reason);
  expect(String(error)).toContain("tool_services: expected record, received string");
  expect(String(error)).toContain("(CODEMODE_TOOL_SERVICES)");
  expect(String(error)).not.toContain("secret");
});

it.each<[string, Settings, Record<string, unknown>]>([
  [
    "a target that is a URL",
    { tool_services: { crm: { target: "http://x" } } },
    { "tool_services.crm.target": "must be HOST:PORT (CODEMODE_TOOL_SERVICES)" },
  ],
  [
    "a name that is none",
    { tool_services: { "a b": { target: "x:1" } } },
    { "tool_services.a b": expect.any(String) },
  ],
  [
    "a certificate without a key",
    { tool_services: { crm: { target: "x:1", tls: { cert_file: "/c" } } } },
    { "tool_services.crm.tls": "cert_file and key_file go together" },
  ],
  [
    "payloads of more than 8 MiB",
    { tool_payload_bytes: 8 * MiB + 1 },
    { tool_payload_bytes: expect.stringContaining("8388608") },
  ],
  [
    "a payload that is more than all together",
    { tool_payload_bytes: 2_000, tool_total_bytes: 1_000 },
    { tool_payload_bytes: "2000 is more than tool_total_bytes, 1000" },
  ],
])("refuses %s", (_what, settings, expected) => {
  expect(violations(settings)).toEqual(expected);
});
