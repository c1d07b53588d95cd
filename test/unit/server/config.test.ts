import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { loadConfig, parseConfig } from "../../../src/server/config.ts";
import type { CodemodeError } from "../../../src/shared/errors.ts";

async function yamlFile(text: string): Promise<AsyncDisposable & { readonly file: string }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "codemode-config-"));
  const file = path.join(folder, "codemode.yaml");
  await writeFile(file, text);
  return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

async function violations(config: Promise<unknown>): Promise<Record<string, string>> {
  const error = (await config.then(
    () => undefined,
    (reason) => reason,
  )) as CodemodeError | undefined;
  return Object.fromEntries(
    error?.violations.map(({ field, description }) => [field, description]) ?? [],
  );
}

it("serves loopback on port 8001 at tier T2 where nothing is said", async () => {
  const config = await loadConfig({ env: {} });
  expect(config).toMatchObject({
    host: "127.0.0.1",
    port: 8001,
    apiKeys: [],
    requiredIsolationTier: "T2",
    secondWall: "auto",
    engines: undefined,
    tenantSlots: config.slots,
    queueSize: config.slots,
    tenantQueueSize: config.slots,
    tenantExecutionsPerMinute: 0,
    tenants: 1,
    isShared: false,
    logLevel: "info",
  });
  expect(config.slots).toBeGreaterThan(0);
  expect(config.slots).toBeLessThanOrEqual(1_000);
});

it("knows that several tenants share it by their keys", () => {
  const keysOf = (...tenants: string[]) => ({
    api_keys: tenants.map((tenant, index) => ({ tenant, key: `key-${index}` })),
  });
  expect(parseConfig(keysOf("acme", "acme"))).toMatchObject({ tenants: 1, isShared: false });
  expect(parseConfig(keysOf("acme", "globex"))).toMatchObject({ tenants: 2, isShared: true });
});

it("takes what is said of tenants and of request ids", () => {
  const config = parseConfig({
    queue_size: 50,
    tenant_queue_size: 5,
    tenant_executions_per_minute: 60,
    tenant_log_bytes: 1_000,
    idempotency: { ttl_ms: 1, max_requests: 2, outcome_bytes: 3 },
  });
  expect(config).toMatchObject({
    queueSize: 50,
    tenantQueueSize: 5,
    tenantExecutionsPerMinute: 60,
    tenantLogBytes: 1_000,
    idempotency: { ttlMs: 1, maxRequests: 2, outcomeBytes: 3 },
  });
});

it("gives the guest's CPU time the wall time where nothing is said", () => {
  const { defaultLimits, maxLimits } = parseConfig({ default_limits: { wall_ms: 5_000 } });
  expect(defaultLimits).toMatchObject({ wallMs: 5_000, activeMs: 5_000 });
  expect(maxLimits).toMatchObject({ wallMs: 600_000, activeMs: 600_000 });
});

it.each([
  [1, 51],
  [4, 204],
])(
  "has the slots follow its memory where nothing is said of them: %i GiB",
  async (gibibytes, slots) => {
    const memory_bytes = gibibytes * 1024 ** 3;
    const followed = { memoryBytes: memory_bytes, slots, tenantSlots: slots, queueSize: slots };
    expect(parseConfig({ memory_bytes })).toMatchObject(followed);
    const env = { CODEMODE_MEMORY_BYTES: String(memory_bytes) };
    expect(await loadConfig({ env })).toMatchObject(followed);
    expect(parseConfig({ memory_bytes, slots: 7 })).toMatchObject({
      memoryBytes: memory_bytes,
      slots: 7,
    });
  },
);

it("lets no deadline be shorter than the longest execution where nothing is said", () => {
  const config = parseConfig({ queue_timeout_ms: 1_000, max_limits: { wall_ms: 60_000 } });
  expect(config.maxDeadlineMs).toBe(66_000);
  expect(config.defaultDeadlineMs).toBe(66_000);
});

it("reads a file, and lets the environment win over it and overrides over both", async () => {
  await using yaml = await yamlFile(
    "port: 9001\nslots: 3\napi_keys:\n  - { key: secret, tenant: acme }\nlog_level: warn\n" +
      "default_limits: { wall_ms: 1000, threads: 2 }\n",
  );
  const config = await loadConfig({
    env: {
      CODEMODE_CONFIG: yaml.file,
      CODEMODE_SLOTS: "4",
      CODEMODE_DEFAULT_LIMITS_WALL_MS: "2000",
      CODEMODE_LOG_LEVEL: "error",
    },
    overrides: { log_level: "debug" },
  });
  expect(config).toMatchObject({
    port: 9001,
    slots: 4,
    apiKeys: [{ key: "secret", tenant: "acme" }],
    logLevel: "debug",
    defaultLimits: { wallMs: 2_000, threads: 2 },
  });
});

it("reads keys, lists and nested settings from the environment", async () => {
  const config = await loadConfig({
    env: {
      CODEMODE_API_KEYS: "acme:key:with:colons, globex:other",
      CODEMODE_ENGINES: "cpython,quickjs",
      CODEMODE_ISOLATION_REQUIRE: "T3",
      CODEMODE_TLS_CERT_FILE: "/a",
      CODEMODE_TLS_KEY_FILE: "/b",
    },
  });
  expect(config).toMatchObject({
    apiKeys: [
      { tenant: "acme", key: "key:with:colons" },
      { tenant: "globex", key: "other" },
    ],
    engines: ["cpython", "quickjs"],
    requiredIsolationTier: "T3",
    tls: { certFile: "/a", keyFile: "/b" },
  });
});

it("names every fault at once, by its field", async () => {
  await using yaml = await yamlFile(
    "prot: 1\nport: 70000\ntls: { cert_file: a }\nisolation: { require: T9, colour: red }\n" +
      "api_keys: [{ key: 'with space', tenant: acme }]\n",
  );
  const env = { CODEMODE_SLOTS: "many", CODEMODE_SLOT: "1" };
  const found = await violations(loadConfig({ file: yaml.file, env }));
  expect(Object.keys(found).sort()).toEqual([
    "CODEMODE_SLOT",
    "api_keys.0.key",
    "isolation.colour",
    "isolation.require",
    "port",
    "prot",
    "slots",
    "tls.key_file",
  ]);
  expect(found.slots).toContain("CODEMODE_SLOTS");
});

it("names settings that are right alone and wrong together", async () => {
  const key = { key: "secret", tenant: "acme" };
  const config = Promise.resolve().then(() =>
    parseConfig({
      slots: 2,
      tenant_slots: 3,
      queue_size: 2,
      tenant_queue_size: 4,
      default_deadline_ms: 2_000,
      max_deadline_ms: 1_000,
      max_limits: { wall_ms: 1_000, open_tool_calls: 5 },
      api_keys: [key, { ...key, tenant: "globex" }],
    }),
  );
  expect(await violations(config)).toEqual({
    "default_limits.wall_ms": "30000 is more than max_limits.wall_ms, 1000",
    "default_limits.active_ms": "30000 is more than max_limits.active_ms, 1000",
    "default_limits.open_tool_calls": "100 is more than max_limits.open_tool_calls, 5",
    tenant_slots: "3 is more than slots, 2",
    tenant_queue_size: "4 is more than queue_size, 2",
    default_deadline_ms: "2000 is more than max_deadline_ms, 1000",
    "api_keys.1.key": "listed twice",
  });
});

it("leaves alone the variables of the SDK and of a Kubernetes service called codemode", async () => {
  const env = {
    CODEMODE_EXECUTOR_URL: "http://x",
    CODEMODE_SERVICE_HOST: "10.0.0.1",
    CODEMODE_PORT_8001_TCP: "tcp://10.0.0.1:8001",
    CODEMODE_PORT: "tcp://10.0.0.1:8001",
    CODEMODE_PORT_8001_TCP_ADDR: "10.0.0.1",
    CODEMODE_SERVICE_PORT_GRPC: "8001",
    CODEMODE_STAGING_SERVICE_HOST: "10.0.0.2",
    CODEMODE_STAGING_PORT: "udp://10.0.0.2:53",
    CODEMODE_STAGING_PORT_53_UDP_PROTO: "udp",
    OTHER: "1",
  };
  expect((await loadConfig({ env })).port).toBe(8001);
});

it("leaves alone the variables of opencodemode, of its client and of its service", async () => {
  const names =
    "API_KEY MAIN_APP_TARGET SIDECAR_PORT SIDECAR_CONFIG CODE_TIMEOUT MAX_CODE_LENGTH TLS_ENABLED TLS_MODE TLS_CA_FILE TLS_REQUIRE_CLIENT_AUTH CALLBACK_TLS_ENABLED GRPC_TLS_MODE RETRY_ENABLED CORRELATION_ID_PREFIX ALLOW_DIRECT_EXECUTION ALLOWED_COMMANDS";
  const env = Object.fromEntries(names.split(" ").map((name) => [`CODEMODE_${name}`, "1"]));
  expect(await violations(loadConfig({ env }))).toEqual({});
});

it("names the nearest variable where it knows none", async () => {
  const env = { CODEMODE_TENANT_SLOT: "5", CODEMODE_SOMETHING_ENTIRELY_DIFFERENT: "5" };
  expect(await violations(loadConfig({ env }))).toEqual({
    CODEMODE_TENANT_SLOT: "no such setting, did you mean CODEMODE_TENANT_SLOTS?",
    CODEMODE_SOMETHING_ENTIRELY_DIFFERENT: "no such setting",
  });
});

it("takes an empty variable for an unset one, but for keys and for lists of what is allowed", async () => {
  const env = { CODEMODE_PORT: "", CODEMODE_TLS_CERT_FILE: " ", CODEMODE_LOG_LEVEL: "" };
  expect(await loadConfig({ env })).toMatchObject({ port: 8001, tls: undefined, logLevel: "info" });
  const empty = "is empty: leave it unset, or say what is meant";
  const listed = {
    CODEMODE_API_KEYS: "",
    CODEMODE_ENGINES: "",
    CODEMODE_ISOLATION_REQUIRE: "",
    CODEMODE_ALLOWED_ORIGINS: "",
  };
  expect(await violations(loadConfig({ env: listed }))).toEqual({
    CODEMODE_API_KEYS: empty,
    CODEMODE_ENGINES: empty,
    CODEMODE_ISOLATION_REQUIRE: empty,
    CODEMODE_ALLOWED_ORIGINS: empty,
  });
});

it.each(["app.example", "https://app.example/page", "*", "ftp://app.example"])(
  "takes no origin that is %s",
  async (origin) => {
    const overrides = { allowed_origins: [origin] };
    expect(await violations(loadConfig({ env: {}, overrides }))).toEqual({
      "allowed_origins.0": expect.stringContaining("must be such as https://app.example:8443"),
    });
  },
);

it("never shows a key in a fault", async () => {
  const env = { CODEMODE_API_KEYS: "just-a-secret-without-a-tenant,not a:key with space" };
  const error = await loadConfig({ env }).catch((reason: Error) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).not.toContain("secret");
  expect(String(error)).not.toContain("with space");
});

it.each([
  ["is missing", "/nowhere/codemode.yaml", "ENOENT"],
  ["is a folder", os.tmpdir(), "EISDIR"],
])("says so when the file %s", async (_title, file, text) => {
  await expect(loadConfig({ file, env: {} })).rejects.toThrow(text);
});

it("says so when the file is not YAML, or not a map", async () => {
  await using broken = await yamlFile("a: [1\n");
  await expect(loadConfig({ file: broken.file, env: {} })).rejects.toThrow(broken.file);
  await using list = await yamlFile("- a\n");
  await expect(loadConfig({ file: list.file, env: {} })).rejects.toThrow("not a map of settings");
});

it("computes no deadline that a timer does not take", () => {
  const config = parseConfig({ max_limits: { wall_ms: 2_147_483_647 } });
  expect(config.maxDeadlineMs).toBe(2_147_483_647);
  expect(config.defaultDeadlineMs).toBe(2_147_483_647);
});
