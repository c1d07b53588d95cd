import { createCpythonSandbox } from "../sandbox/cpython/sandbox.ts";
import { createPyodideSandbox } from "../sandbox/pyodide/sandbox.ts";
import { createQuickjsSandbox } from "../sandbox/quickjs/sandbox.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { IsolationTier } from "../shared/model.ts";
import type { Executor } from "./executor.ts";
import { createSandboxedExecutor } from "./sandboxed.ts";
import { createStandby } from "./standby.ts";

/** What engines are made from. */
export interface EnginesConfig {
  /**
   * Names of engines, in the order in which they are preferred. Undefined for all of them, each as
   * far as this machine can run it, in the order of the table.
   */
  readonly engines: readonly string[] | undefined;
  /** Weakest isolation under which programs may run. */
  readonly requireTier: IsolationTier;
  /** Whether engines get a second wall where the machine gives one; `auto` by default. */
  readonly secondWall?: "auto" | "off" | undefined;
  /** Command or path of the Python interpreter. */
  readonly python: string;
  /** Directories of packages that Python programs may import. */
  readonly sitePackages: readonly string[];
  /** Longest JSON text of a tool's arguments, bytes. */
  readonly toolPayloadBytes: number;
  /** Guests that are kept locked and waiting, where an engine keeps more than one. */
  readonly spareGuests: number;
  /** Memory that the service and all programs may use, bytes. */
  readonly memoryBytes: number;
  /** A folder of this user's for what takes long to make. */
  readonly cacheDirectory: string;
  /** Something that the operator should know. */
  readonly onWarning: (message: string) => void;
}

/** A row of the table. */
interface Engine {
  readonly languages: readonly string[];
  /** Starts only when no engine before it that runs its languages is up, unless it is named. */
  readonly standsBy?: boolean;
  /** Starts it. Never rejects for what the machine lacks: its `info()` says so. */
  readonly create: (config: EnginesConfig, signal?: AbortSignal) => Promise<Sandbox>;
}

// What the service and the process of an engine take themselves, measured.
const ownBytes = 256 * 1024 * 1024;
const leastBytes = 64 * 1024 * 1024;
// An interpreter in WebAssembly of 110 MiB, and what programs use of their limit.
const pyodideBytes = 256 * 1024 * 1024;
// With its text of 256 KiB, and 1 MiB of each channel, below the 4 MiB that stock clients receive.
const resultBytes = 1024 * 1024;

/** Every engine: a row here, a folder in sandbox/, a file in test/conformance/. */
const table: Readonly<Record<string, Engine>> = {
  cpython: {
    languages: ["python"],
    create: (config) => createCpythonSandbox({ ...config, spare: config.spareGuests }),
  },
  quickjs: {
    languages: ["javascript", "typescript"],
    create: (config) =>
      createQuickjsSandbox({ ...config, memoryBytes: roomBeside(config.memoryBytes) }),
  },
  pyodide: {
    languages: ["python"],
    standsBy: true,
    create: (config, signal) => {
      const maxGuests = Math.max(1, Math.floor(config.memoryBytes / 2 / pyodideBytes));
      return createPyodideSandbox({ ...config, spare: 1, maxGuests, signal });
    },
  },
};

/** Starts engines; one that cannot run says so in its `info()`. */
export async function createEngines(config: EnginesConfig): Promise<readonly Executor[]> {
  if (config.engines !== undefined) {
    // All of them, before one is started that nobody would end.
    const engines = config.engines.map(engineOf);
    return Promise.all(engines.map((engine) => start(engine, config)));
  }
  const started = new Map<string, Promise<Executor>>();
  for (const [name, engine] of Object.entries(table)) {
    if (!engine.standsBy) started.set(name, start(engine, config));
  }
  const executors: Executor[] = [];
  for (const [name, engine] of Object.entries(table)) {
    const { languages } = engine;
    const before = [...executors];
    const isNeeded = () => !languages.every((language) => isServed(before, language));
    const create = (signal: AbortSignal) => startLater(engine, config, signal);
    const standby = { name, languages, isNeeded, create };
    executors.push((await started.get(name)) ?? createStandby(standby));
  }
  return executors;
}

/** Most of the memory that is left. Programs of the others come and go, and end first where it is short. */
function roomBeside(memoryBytes: number): number {
  return Math.max(leastBytes, (memoryBytes - ownBytes) * 0.75);
}

async function start(
  { create }: Engine,
  config: EnginesConfig,
  signal?: AbortSignal,
): Promise<Executor> {
  const { toolPayloadBytes, onWarning } = config;
  const sandbox = await create(config, signal);
  const { name, warnings } = sandbox.info();
  for (const warning of warnings) onWarning(`engine ${name}: ${warning}`);
  return createSandboxedExecutor(sandbox, { resultBytes, toolPayloadBytes });
}

/** An engine that starts later than the service has to tell of its failure itself. */
async function startLater(
  engine: Engine,
  config: EnginesConfig,
  signal: AbortSignal,
): Promise<Executor> {
  const executor = await start(engine, config, signal);
  const { name, up, reason } = executor.info();
  if (!up && !signal.aborted) config.onWarning(`engine ${name} is not up: ${reason}`);
  return executor;
}

function engineOf(name: string): Engine {
  const engine = Object.hasOwn(table, name) ? table[name] : undefined;
  if (engine === undefined) throw new Error(`there is no engine "${name}"`);
  return engine;
}

function isServed(executors: readonly Executor[], language: string): boolean {
  const infos = executors.map((executor) => executor.info());
  return infos.some(({ up, languages }) => up && languages.includes(language));
}
