import { onAbort, startDeadline, untilAborted } from "../../shared/abort.ts";
import { CodemodeError } from "../../shared/errors.ts";
import type { EngineInfo, IsolationTier } from "../../shared/model.ts";
import { type GroupedProbe, isAtLeast, provenTier } from "../isolation.ts";
import type { Guest, Sandbox } from "../sandbox.ts";
import { findWall } from "../wall/find.ts";
import { proveWall } from "../wall/prove.ts";
import type { Wall, WallLayer } from "../wall/wall.ts";
import { PyodideGuest } from "./guest.ts";
import { findMemory } from "./maker.ts";
import { findPyodide, type PyodidePackage } from "./package.ts";
import { findProgram, startInterpreterProcess } from "./program.ts";
import { Spare } from "./spare.ts";

const firstStartMs = 180_000;

/** Options of `createPyodideSandbox`. */
export interface PyodideSandboxOptions {
  /** Weakest isolation under which guests may run. */
  readonly requireTier: IsolationTier;
  /** Command or path of a python3 that puts on the lock; without one only namespaces can be had. */
  readonly python: string | undefined;
  /** Guests that are kept waiting: none, or one, whatever more is asked for. */
  readonly spare: number;
  /** Guests that may run at once; each holds some 110 MiB beside its program's own memory. */
  readonly maxGuests: number;
  /** Where the memory of a started interpreter is kept from one start of the service to the next. */
  readonly cacheDirectory: string;
  /** Something that the operator should know; never a guest's words. */
  readonly onWarning: (message: string) => void;
  /** Closes it when it aborts, while it still starts too. */
  readonly signal?: AbortSignal | undefined;
  /** Layers of the wall to try; all by default. */
  readonly layers?: readonly WallLayer[] | undefined;
}

/**
 * A sandbox of Node processes with Python in WebAssembly, one for each program, behind a wall. Never
 * rejects for what the machine lacks: `info()` then says that it is not up, and why.
 */
export async function createPyodideSandbox(options: PyodideSandboxOptions): Promise<Sandbox> {
  const sandbox = new PyodideSandbox(options);
  await sandbox.start();
  return sandbox;
}

class PyodideSandbox implements Sandbox {
  readonly #options: PyodideSandboxOptions;
  readonly #closing = new AbortController();
  #spare: Spare | undefined;
  #pyodide: PyodidePackage | undefined;
  #wall: Wall | undefined;
  #probes: readonly GroupedProbe[] = [];
  #tier: IsolationTier | undefined;
  #reason = "";
  #renew: () => Promise<void> = async () => {};
  #mending: Promise<void> | undefined;

  constructor(options: PyodideSandboxOptions) {
    this.#options = options;
  }

  info(): EngineInfo {
    const isUp = this.#reason === "";
    return {
      name: "pyodide",
      languages: ["python"],
      up: isUp,
      reason: this.#reason,
      version: this.#pyodide?.python ?? "",
      isolationTier: this.#tier,
      probes: this.#probes.map(({ name, refused, detail }) => ({ name, refused, detail })),
      warnings: isUp ? this.#warnings() : [],
    };
  }

  async start(): Promise<void> {
    const { requireTier, python, layers, signal } = this.#options;
    using _ = onAbort(signal, (reason) => this.#closing.abort(reason));
    try {
      this.#pyodide = await findPyodide();
      this.#wall = await findWall({ python, layers });
      this.#probes = await proveWall(this.#wall, this.#closing.signal);
      this.#tier = atMost(provenTier(this.#probes));
      if (!isAtLeast(this.#tier, requireTier)) throw new Error(this.#below(requireTier));
      this.#spare = await this.#firstSpare(this.#pyodide, this.#wall);
    } catch (error) {
      this.#reason = messageOf(error);
    }
  }

  async lease(signal: AbortSignal, group: string): Promise<Guest> {
    const spare = this.#spare;
    if (spare === undefined) throw new CodemodeError("unavailable", `pyodide: ${this.#reason}`);
    try {
      return await spare.lease(signal, group);
    } catch (error) {
      signal.throwIfAborted();
      if (this.#closing.signal.aborted) throw error;
      this.#options.onWarning(`${messageOf(error)}; looking into the cache`);
    }
    return await this.#secondLease(spare, signal, group);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("the sandbox is closed"));
    this.#reason = "the sandbox is closed";
    const spare = this.#spare;
    this.#spare = undefined;
    await spare?.[Symbol.asyncDispose]();
  }

  /** Starts the first guest as well: only then is it known that it can be done. */
  async #firstSpare(pyodide: PyodidePackage, wall: Wall): Promise<Spare> {
    const { spare: wanted, maxGuests } = this.#options;
    using deadline = startDeadline({
      ms: firstStartMs,
      reason: new Error("the first interpreter did not start in time"),
      parent: this.#closing.signal,
    });
    let from = await this.#prepare(pyodide, wall, deadline.signal);
    this.#renew = async () => {
      from = await this.#prepare(pyodide, wall, this.#closing.signal);
    };
    const start = () => new PyodideGuest(startInterpreterProcess(from.interpreters, from.memory));
    const spare = new Spare({ isKept: wanted > 0, maxGuests, start });
    try {
      await spare.prove(deadline.signal);
      return spare;
    } catch (error) {
      await spare[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Files that interpreters are started from, found or made. */
  async #prepare(pyodide: PyodidePackage, wall: Wall, signal: AbortSignal) {
    const { cacheDirectory } = this.#options;
    const interpreters = { wall, pyodide, program: await findProgram(cacheDirectory) };
    return { interpreters, memory: await findMemory({ interpreters, cacheDirectory, signal }) };
  }

  /** A guest did not start: what it is started from may have been removed from the cache. */
  async #secondLease(spare: Spare, signal: AbortSignal, group: string): Promise<Guest> {
    this.#mending ??= this.#renew().finally(() => {
      this.#mending = undefined;
    });
    try {
      await untilAborted(this.#mending, signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw new CodemodeError("unavailable", `pyodide: ${messageOf(cause)}`, { cause });
    }
    return await spare.lease(signal, group);
  }

  #below(required: IsolationTier): string {
    return `isolation is below the required tier ${required}: ${this.#weakness()}`;
  }

  #weakness(): string {
    const granted = this.#probes.filter((probe) => !probe.refused).map((probe) => probe.name);
    const missing = this.#wall?.missing ?? [];
    return [
      ...(missing.length > 0 ? [`this machine does not give ${missing.join(" and ")}`] : []),
      ...(granted.length > 0 ? [`not refused: ${granted.join(", ")}`] : []),
    ].join("; ");
  }

  #warnings(): string[] {
    if (this.#tier === undefined || isAtLeast(this.#tier, "T2")) return [];
    return [
      `weak isolation ${this.#tier}: nothing but WebAssembly holds a program, and that is not meant to; ${this.#weakness()}`,
    ];
  }
}

/** WebAssembly with Pyodide's JavaScript around it is no wall of its own: the one around it is the only one. */
function atMost(tier: IsolationTier): IsolationTier {
  return isAtLeast(tier, "T2") ? "T2" : tier;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
