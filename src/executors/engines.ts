import { createCpythonSandbox } from "../sandbox/cpython/sandbox.ts";
import type { IsolationTier } from "../shared/model.ts";
import type { Executor } from "./executor.ts";
import { createSandboxedExecutor } from "./sandboxed.ts";

/** What engines are made from. */
export interface EnginesConfig {
  /** Names of engines, in the order in which they are preferred. */
  readonly engines: readonly string[];
  /** Weakest isolation under which programs may run. */
  readonly requireTier: IsolationTier;
  /** Command or path of the Python interpreter. */
  readonly python: string;
  /** Directories of packages that Python programs may import. */
  readonly sitePackages: readonly string[];
  /** Longest JSON text of a tool's arguments, bytes. */
  readonly toolPayloadBytes: number;
  /** Guests that are kept locked and waiting, per engine. */
  readonly spareGuests: number;
  /** Something that the operator should know. */
  readonly onWarning: (message: string) => void;
}

// With its text of 256 KiB, and 1 MiB of each channel, below the 4 MiB that stock clients receive.
const resultBytes = 1024 * 1024;

/** Every engine: a row here, a folder in sandbox/, a file in test/conformance/. */
const table: Readonly<Record<string, (config: EnginesConfig) => Promise<Executor>>> = {
  cpython: async (config) => {
    const { python, requireTier, sitePackages, spareGuests: spare, onWarning } = config;
    const options = { python, requireTier, spare, sitePackages, onWarning };
    const { toolPayloadBytes } = config;
    return createSandboxedExecutor(await createCpythonSandbox(options), {
      resultBytes,
      toolPayloadBytes,
    });
  },
};

/** Starts the engines that the config names; one that cannot run says so in its `info()`. */
export function createEngines(config: EnginesConfig): Promise<readonly Executor[]> {
  return Promise.all(
    config.engines.map((name) => {
      const create = table[name];
      if (create === undefined) throw new Error(`there is no engine "${name}"`);
      return create(config);
    }),
  );
}
