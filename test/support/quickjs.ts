import type { Executor } from "../../src/executors/executor.ts";
import { createSandboxedExecutor } from "../../src/executors/sandboxed.ts";
import {
  createQuickjsSandbox,
  type QuickjsSandboxOptions,
} from "../../src/sandbox/quickjs/sandbox.ts";

const resultBytes = 1024 * 1024;
const toolPayloadBytes = 2 * 1024 * 1024;

/** The quickjs engine. Without a word on isolation it takes what the machine gives. */
export async function startQuickjs(
  options: Partial<QuickjsSandboxOptions> = {},
): Promise<Executor> {
  const sandbox = await createQuickjsSandbox({
    requireTier: "T2",
    python: "python3",
    onWarning: (message) => console.warn(message),
    ...options,
  });
  return createSandboxedExecutor(sandbox, { resultBytes, toolPayloadBytes });
}
