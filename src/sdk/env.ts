import { CodemodeError } from "../shared/errors.ts";
import { type ConnectOptions, maxTimeoutMs } from "./options.ts";

const names = {
  url: "CODEMODE_EXECUTOR_URL",
  apiKey: "CODEMODE_EXECUTOR_API_KEY",
  timeout: "CODEMODE_EXECUTOR_TIMEOUT",
} as const;

/**
 * Connect options from the environment: CODEMODE_EXECUTOR_URL (several with commas between),
 * CODEMODE_EXECUTOR_API_KEY and CODEMODE_EXECUTOR_TIMEOUT (seconds); empty variables count as unset,
 * overrides win. Throws `invalid_request` naming the variable at fault.
 */
export function optionsFromEnv(overrides: Partial<ConnectOptions>): ConnectOptions {
  const url = overrides.url ?? read(names.url)?.split(",").map(checkUrl);
  if (url === undefined) throw fault(names.url, "is not set");
  return {
    ...overrides,
    url,
    apiKey: overrides.apiKey ?? read(names.apiKey),
    timeoutMs: overrides.timeoutMs ?? readTimeoutMs(),
  };
}

function read(name: string): string | undefined {
  const value = process.env[name]?.trim();
  return value === "" ? undefined : value;
}

function checkUrl(text: string): string {
  const url = text.trim();
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw fault(names.url, `must be http://host:port or https://host:port, got ${url}`);
}

function readTimeoutMs(): number | undefined {
  const text = read(names.timeout);
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (seconds > 0 && seconds * 1000 <= maxTimeoutMs) return seconds * 1000;
  throw fault(names.timeout, `must be a number of seconds above 0, got ${text}`);
}

function fault(name: string, description: string): CodemodeError {
  return new CodemodeError("invalid_request", `${name} ${description}`, {
    violations: [{ field: name, description }],
  });
}
