import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Executor } from "../../src/executors/executor.ts";
import { createSandboxedExecutor } from "../../src/executors/sandboxed.ts";
import {
  createPyodideSandbox,
  type PyodideSandboxOptions,
} from "../../src/sandbox/pyodide/sandbox.ts";
import type { EngineInfo } from "../../src/shared/model.ts";
import { missing } from "./toolchain.ts";

/** One cache for all test files: the memory of an interpreter takes seconds to make. */
export const testCache = join(tmpdir(), `codemode-test-cache-${process.getuid?.() ?? 0}`);

/** The pyodide engine. Without a word on isolation it takes what the machine gives. */
export async function startPyodide(
  options: Partial<PyodideSandboxOptions> = {},
): Promise<Executor> {
  const sandbox = await createPyodideSandbox({
    requireTier: "T0",
    python: "python3",
    spare: 1,
    maxGuests: 32,
    onWarning: () => {},
    cacheDirectory: testCache,
    ...options,
  });
  return createSandboxedExecutor(sandbox, {
    resultBytes: 1024 * 1024,
    toolPayloadBytes: 2 * 1024 * 1024,
  });
}

let tier: EngineInfo["isolationTier"];

/** Why pyodide does not come up here; undefined where it does. */
export const noPyodide = await missing("pyodide", async () => {
  await using executor = await startPyodide({ spare: 0 });
  const { up, reason, isolationTier } = executor.info();
  if (!up) throw new Error(reason);
  tier = isolationTier;
});

/** Why there is no wall around a Node process here (T2); undefined where there is. */
export const noWall =
  noPyodide ??
  (await missing("a wall around Node", () => {
    if (tier !== "T2") throw new Error(`the wall proves ${tier} and no more`);
  }));
