import { sleep, untilAborted } from "../../shared/abort.ts";
import { CodemodeError } from "../../shared/errors.ts";
import type { EngineInfo, IsolationTier } from "../../shared/model.ts";
import { usableMemory } from "../../shared/usable-memory.ts";
import { type GroupedProbe, isAtLeast, isWhole, provenTier } from "../isolation.ts";
import type { Guest, Sandbox } from "../sandbox.ts";
import { findWall } from "../wall/find.ts";
import { proveWall } from "../wall/prove.ts";
import type { Wall } from "../wall/wall.ts";
import { readEngineFiles } from "./engine-files.ts";
import { type EngineProcess, startEngineProcess } from "./engine-process.ts";
import { probeBorder } from "./probes.ts";

const restartDelayMs = 1_000;
const mostThreads = 32;
const bytesPerThread = 32 * 1024 * 1024;
const defaultWarmThreads = 2;
const defaultSilentMs = 5_000;

/** Options of `createQuickjsSandbox`. */
export interface QuickjsSandboxOptions {
  /** Weakest isolation under which guests may run. */
  readonly requireTier: IsolationTier;
  /** Command or path of a python3 that puts on the lock; without one only namespaces can be had. */
  readonly python: string | undefined;
  /** Whether the engine process gets a wall where the machine gives one; `auto` by default. */
  readonly secondWall?: "auto" | "off" | undefined;
  /** Threads in all: by default one for each 32 MiB of memory, 2 to 32. Programs beyond that share one of their group's, or wait. */
  readonly maxThreads?: number | undefined;
  /** Threads that wait for work while there is none, 2 by default. */
  readonly warmThreads?: number | undefined;
  /** Memory that programs and their threads may hold together, bytes; half of what there is by default. */
  readonly memoryBytes?: number | undefined;
  /** The longest that the engine process may not answer, milliseconds; 5,000 by default. */
  readonly silentMs?: number | undefined;
  /** Something that the operator should know; never a guest's words. */
  readonly onWarning: (message: string) => void;
}

/**
 * A sandbox of QuickJS instances in the threads of an engine process. Never rejects for what the
 * machine lacks: `info()` then says that it is not up, and why. An engine process that dies is
 * replaced, and the new one proves itself again.
 */
export async function createQuickjsSandbox(options: QuickjsSandboxOptions): Promise<Sandbox> {
  const sandbox = new QuickjsSandbox(options);
  await sandbox.start();
  return sandbox;
}

class QuickjsSandbox implements Sandbox {
  readonly #options: QuickjsSandboxOptions;
  readonly #closing = new AbortController();
  #engine: Promise<EngineProcess> | undefined;
  #wall: Wall | undefined;
  #wallProbes: readonly GroupedProbe[] = [];
  #borderProbes: readonly GroupedProbe[] = [];
  #reason = "";
  #noWall = "";
  #version = "";

  constructor(options: QuickjsSandboxOptions) {
    this.#options = options;
  }

  info(): EngineInfo {
    return {
      name: "quickjs",
      languages: ["javascript", "typescript"],
      up: this.#reason === "",
      reason: this.#reason,
      version: this.#version,
      isolationTier: this.#tier,
      probes: this.#probes.map(({ name, refused, detail }) => ({ name, refused, detail })),
      warnings: this.#warnings(),
    };
  }

  async start(): Promise<void> {
    try {
      this.#wall = await this.#provenWall();
      await this.#launch(this.#wall);
    } catch (error) {
      this.#engine = undefined;
      this.#reason = reasonOf(error);
    }
  }

  async lease(signal: AbortSignal, group: string): Promise<Guest> {
    for (;;) {
      if (this.#engine === undefined) {
        throw new CodemodeError("unavailable", `quickjs: ${this.#reason}`);
      }
      const engine = await this.#started(this.#engine, signal);
      try {
        return await engine.lease(signal, group);
      } catch (error) {
        if (!engine.hasEnded) throw error;
        // It died before it could give a place; its replacement takes its own.
        await untilAborted(engine.closed, signal);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const engine = this.#engine;
    this.#engine = undefined;
    this.#reason = "the sandbox is closed";
    await engine?.then(
      (one) => one[Symbol.asyncDispose](),
      () => {},
    );
  }

  get #probes(): readonly GroupedProbe[] {
    return [...this.#borderProbes, ...this.#wallProbes];
  }

  /** Undefined while nothing has been proven: the wall alone does not make the engine one. */
  get #tier(): IsolationTier | undefined {
    return this.#borderProbes.length === 0 ? undefined : provenTier(this.#probes);
  }

  async #started(engine: Promise<EngineProcess>, signal: AbortSignal): Promise<EngineProcess> {
    try {
      return await untilAborted(engine, signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw new CodemodeError("unavailable", `quickjs: ${reasonOf(cause)}`, { cause });
    }
  }

  /** The wall around the engine process; one that cannot be proven is none. */
  async #provenWall(): Promise<Wall> {
    const { python, secondWall, onWarning } = this.#options;
    const wall = await findWall({ python, layers: secondWall === "off" ? [] : undefined });
    this.#noWall = secondWall === "off" ? "the configuration says off" : wall.missing.join("; ");
    if (wall.layers.length === 0) return wall;
    try {
      this.#wallProbes = await proveWall(wall, this.#closing.signal);
    } catch (error) {
      this.#closing.signal.throwIfAborted();
      onWarning(`the wall around the JavaScript engine: ${reasonOf(error)}`);
    }
    return wall;
  }

  async #launch(wall: Wall): Promise<void> {
    const starting = this.#provenEngine(wall);
    this.#engine = starting;
    const engine = await starting;
    this.#reason = "";
    void engine.closed.then((reason) => this.#replace(wall, reason));
  }

  /** An engine process whose border the probes have tried; one below the required tier is ended again. */
  async #provenEngine(wall: Wall): Promise<EngineProcess> {
    const { requireTier, onWarning, memoryBytes = usableMemory() / 2 } = this.#options;
    const maxThreads = Math.min(mostThreads, Math.max(2, Math.floor(memoryBytes / bytesPerThread)));
    const files = await readEngineFiles();
    const engine = await startEngineProcess({
      wall,
      boot: {
        files,
        maxThreads: this.#options.maxThreads ?? maxThreads,
        warmThreads: this.#options.warmThreads ?? defaultWarmThreads,
        memoryBytes,
      },
      signal: this.#closing.signal,
      silentMs: this.#options.silentMs ?? defaultSilentMs,
      onStderr: (line) => onWarning(`the JavaScript engine: ${line}`),
    });
    try {
      const lease = (signal: AbortSignal) => engine.lease(signal, "probes");
      this.#borderProbes = await probeBorder(lease, this.#closing.signal);
      this.#version = files.version;
      if (!isAtLeast(this.#tier ?? "T0", requireTier)) throw this.#below(requireTier);
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  #below(required: IsolationTier): Error {
    const granted = this.#probes.filter((probe) => !probe.refused).map((probe) => probe.name);
    const causes = [
      ...(this.#noWall === "" ? [] : [`there is no whole wall around it: ${this.#noWall}`]),
      ...(granted.length > 0 ? [`let through: ${granted.join(", ")}`] : []),
    ];
    const why = causes.join("; ") || `${this.#tier ?? "nothing"} is proven and no more`;
    return new Error(`isolation is below the required tier ${required}: ${why}`);
  }

  #warnings(): string[] {
    if (this.#reason !== "" || isWhole("engine", this.#probes)) return [];
    return [`weak isolation ${this.#tier}: programs reach what they must not`];
  }

  async #replace(wall: Wall, reason: string): Promise<void> {
    const { onWarning } = this.#options;
    if (this.#closing.signal.aborted) return;
    onWarning(`the JavaScript engine is lost: ${reason}; starting another`);
    while (!this.#closing.signal.aborted) {
      try {
        return await this.#launch(wall);
      } catch (error) {
        this.#engine = undefined;
        this.#reason = reasonOf(error);
        onWarning(`the JavaScript engine could not be replaced: ${this.#reason}`);
        await sleep(restartDelayMs, this.#closing.signal).catch(() => {});
      }
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
