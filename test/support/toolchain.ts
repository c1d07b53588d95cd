import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { createEngines, type EnginesConfig } from "../../src/executors/engines.ts";
import type { Executor } from "../../src/executors/executor.ts";
import { findPython } from "../../src/sandbox/cpython/python.ts";

/** Whether this is CI: everything is run there, however long it takes. */
export const isCi = process.env.CI === "true" || process.env.CI === "1";

/**
 * Undefined where the tests that need something can run, otherwise why they cannot: printed here,
 * and an error in CI, where a missing toolchain is a failure and not a skip.
 */
export async function missing(what: string, check: () => unknown): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    const reason = `${what}: ${error instanceof Error ? error.message : error}`;
    if (isCi) throw new Error(`CI needs ${reason}`);
    console.warn(`not run, needs ${reason}`);
    return reason;
  }
}

/** Why there is no Python for guests; undefined where there is one. */
export const noPython = await missing("python3", () => findPython("python3"));

/** Why guests cannot be locked here (T2); undefined where they can. */
export const noLock =
  noPython ??
  (await missing("the lock", async () => {
    await using executor = await startCpython({ requireTier: "T2", spareGuests: 1 });
    const { up, reason } = executor.info();
    if (!up) throw new Error(reason);
  }));

/** Why a command is not there; undefined where it is. */
export function noCommand(
  command: string,
  ...args: readonly string[]
): Promise<string | undefined> {
  return missing(command, () => execFileSync(command, args, { stdio: "ignore" }));
}

/** The cpython engine. Without a word on isolation it takes what the machine gives. */
export async function startCpython(options: Partial<EnginesConfig> = {}): Promise<Executor> {
  const [executor] = await createEngines({
    engines: ["cpython"],
    requireTier: "T0",
    python: "python3",
    sitePackages: [],
    spareGuests: 4,
    toolPayloadBytes: 2 * 1024 * 1024,
    memoryBytes: 4 * 1024 ** 3,
    cacheDirectory: tmpdir(),
    onWarning: () => {},
    ...options,
  });
  if (executor === undefined) throw new Error("no engine was made");
  return executor;
}
