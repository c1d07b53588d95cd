import { afterEach, describe, expect, it, vi } from "vitest";
import { Codemode } from "../../../src/sdk/codemode.ts";
import { optionsFromEnv } from "../../../src/sdk/env.ts";
import { type ConnectOptions, toSettings } from "../../../src/sdk/options.ts";
import { CodemodeError } from "../../../src/shared/errors.ts";

const url = "http://127.0.0.1:8001";

function faultOf(run: () => unknown): CodemodeError {
  try {
    run();
  } catch (error) {
    if (error instanceof CodemodeError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("connect options", () => {
  it("have defaults for everything but the url", () => {
    const settings = toSettings({ url });
    expect(settings).toMatchObject({
      timeoutMs: 60_000,
      queueTimeoutMs: 10_000,
      context: {},
      urls: [url],
      connection: { protocol: "grpc", httpVersion: "2" },
      retry: { maxAttempts: 4 },
      retryBudget: { maxTokens: 1_000, tokenRatio: 0.1 },
      toolPayloadBytes: 2 * 1024 * 1024,
    });
    expect([...settings.headers]).toEqual([]);
  });

  it("carry the key as a bearer token", () => {
    expect(toSettings({ url, apiKey: "k1" }).headers.get("authorization")).toBe("Bearer k1");
  });

  it("switch retries off, or replace a part of the policy", () => {
    expect(toSettings({ url, retry: false }).retry.maxAttempts).toBe(1);
    expect(toSettings({ url, retry: { baseMs: 7 } }).retry).toMatchObject({
      maxAttempts: 4,
      baseMs: 7,
    });
  });

  it("take a list of urls, and a budget in part or none", () => {
    const urls = [url, "http://127.0.0.1:8002"];
    expect(toSettings({ url: urls }).urls).toEqual(urls);
    expect(toSettings({ url, retryBudget: { maxTokens: 5 } }).retryBudget).toEqual({
      maxTokens: 5,
      tokenRatio: 0.1,
    });
    expect(toSettings({ url, retryBudget: false }).retryBudget).toBeUndefined();
  });

  it.each<[string, Partial<ConnectOptions>]>([
    ["url", { url: "localhost:8001" }],
    ["url", { url: [] }],
    ["url[1]", { url: [url, "localhost:8001"] }],
    ["retryBudget.maxTokens", { retryBudget: { maxTokens: 0 } }],
    ["retryBudget.tokenRatio", { retryBudget: { tokenRatio: -1 } }],
    ["url", { url: "" }],
    ["url", { url: "http://user:secret@localhost:8001" }],
    ["url", { url: "http://localhost:8001/?a=1" }],
    ["timeoutMs", { timeoutMs: 0 }],
    ["timeoutMs", { timeoutMs: Number.POSITIVE_INFINITY }],
    ["queueTimeoutMs", { queueTimeoutMs: -1 }],
    ["retry.maxAttempts", { retry: { maxAttempts: 0 } }],
    ["retry.baseMs", { retry: { baseMs: -1 } }],
    ["retry.jitter", { retry: { jitter: 2 } }],
    ["headers.x y", { headers: { "x y": "1" } }],
    ["context.id", { context: { id: 2 ** 60 } }],
    ["httpVersion", { httpVersion: "1.1" }],
    ["toolPayloadBytes", { toolPayloadBytes: 0 }],
    ["toolPayloadBytes", { toolPayloadBytes: 8 * 1024 * 1024 + 1 }],
    ["apiKey", { apiKey: "secret\nkey" }],
  ])("are refused when %s is wrong (%o)", (field, options) => {
    const error = faultOf(() => Codemode.connect({ url, ...options }));
    expect(error).toMatchObject({ kind: "invalid_request", retryable: false });
    expect(error.violations.map((violation) => violation.field)).toEqual([field]);
    expect(error.message).not.toContain("secret");
  });

  it("name every fault at once", () => {
    const error = faultOf(() => toSettings({ url: "nowhere", timeoutMs: -1 }));
    expect(error.violations.map(({ field }) => field)).toEqual(["url", "timeoutMs"]);
  });
});

describe("the environment", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it("gives url, key and timeout", () => {
    vi.stubEnv("CODEMODE_EXECUTOR_URL", url);
    vi.stubEnv("CODEMODE_EXECUTOR_API_KEY", "k1\n");
    vi.stubEnv("CODEMODE_EXECUTOR_TIMEOUT", "2.5");
    expect(optionsFromEnv({})).toEqual({ url: [url], apiKey: "k1", timeoutMs: 2500 });
    vi.stubEnv("CODEMODE_EXECUTOR_URL", `${url}, http://127.0.0.1:8002`);
    expect(optionsFromEnv({}).url).toEqual([url, "http://127.0.0.1:8002"]);
  });

  it("gives way to overrides, which may stand in for the url", () => {
    vi.stubEnv("CODEMODE_EXECUTOR_URL", "");
    vi.stubEnv("CODEMODE_EXECUTOR_TIMEOUT", "2");
    expect(optionsFromEnv({ url, timeoutMs: 5, context: { a: 1 } })).toMatchObject({
      url,
      timeoutMs: 5,
      context: { a: 1 },
    });
  });

  it.each([
    ["CODEMODE_EXECUTOR_URL", ""],
    ["CODEMODE_EXECUTOR_URL", "executor:8001"],
    ["CODEMODE_EXECUTOR_URL", "http://127.0.0.1:8001,"],
    ["CODEMODE_EXECUTOR_TIMEOUT", "soon"],
    ["CODEMODE_EXECUTOR_TIMEOUT", "0"],
    ["CODEMODE_EXECUTOR_TIMEOUT", "Infinity"],
  ])("is refused by the name of the variable: %s=%o", (name, value) => {
    vi.stubEnv("CODEMODE_EXECUTOR_URL", url);
    vi.stubEnv(name, value);
    const error = faultOf(() => Codemode.fromEnv());
    expect(error).toMatchObject({ kind: "invalid_request" });
    expect(error.message).toMatch(new RegExp(`^${name} `));
  });
});
