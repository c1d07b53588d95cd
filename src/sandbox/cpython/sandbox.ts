import { sleep, untilAborted } from "../../shared/abort.ts";
import { CodemodeError } from "../../shared/errors.ts";
import type { EngineInfo, IsolationTier } from "../../shared/model.ts";
import { type GroupedProbe, isAtLeast, provenTier } from "../isolation.ts";
import type { Guest, Sandbox } from "../sandbox.ts";
import { type Brood, startBrood } from "./brood.ts";
import { probeLock } from "./probes.ts";
import { findPython, type Python } from "./python.ts";
import { addSecondWall, SecondWallFault } from "./second-wall.ts";
import type { Layer, ZygoteHello } from "./zygote.ts";

const allLayers: readonly Layer[] = ["landlock", "seccomp"];
const restartDelayMs = 1_000;
// A probing guest that happened to be killed says nothing of the wall.
const wallAttempts = 2;

/** Options of `createCpythonSandbox`. */
export interface CpythonSandboxOptions {
  /** Command or path of the interpreter. */
  readonly python: string;
  /** Weakest isolation under which guests may run. */
  readonly requireTier: IsolationTier;
  /** Whether guests get namespaces of their own where the machine gives them; `auto` by default. */
  readonly secondWall?: "auto" | "off" | undefined;
  /** Guests that are kept locked and waiting. */
  readonly spare: number;
  /** Directories of packages that guests may import. */
  readonly sitePackages: readonly string[];
  /** Something that the operator should know; never a guest's words. */
  readonly onWarning: (message: string) => void;
}

/**
 * A sandbox of locked CPython processes. Never rejects for what the machine lacks: `info()` then
 * says that it is not up, and why. A zygote that dies is replaced, and the new one proves itself again.
 */
export async function createCpythonSandbox(options: CpythonSandboxOptions): Promise<Sandbox> {
  const sandbox = new CpythonSandbox(options);
  await sandbox.start();
  return sandbox;
}

class CpythonSandbox implements Sandbox {
  readonly #options: CpythonSandboxOptions;
  readonly #closing = new AbortController();
  #brood: Promise<Brood> | undefined;
  #python: Python | undefined;
  #reason = "";
  #probes: readonly GroupedProbe[] = [];
  #tier: IsolationTier | undefined;
  #missing: string[] = [];

  constructor(options: CpythonSandboxOptions) {
    this.#options = options;
  }

  info(): EngineInfo {
    const isUp = this.#reason === "";
    return {
      name: "cpython",
      languages: ["python"],
      up: isUp,
      reason: this.#reason,
      version: this.#python?.version ?? "",
      isolationTier: this.#tier,
      probes: this.#probes.map(({ name, refused, detail }) => ({ name, refused, detail })),
      warnings: this.#warnings(),
    };
  }

  async start(): Promise<void> {
    try {
      this.#python = await findPython(this.#options.python);
      await this.#launch(this.#python);
    } catch (error) {
      this.#brood = undefined;
      this.#reason = error instanceof Error ? error.message : String(error);
    }
  }

  async lease(signal: AbortSignal, group: string): Promise<Guest> {
    for (;;) {
      if (this.#brood === undefined) {
        throw new CodemodeError("unavailable", `cpython: ${this.#reason}`);
      }
      const brood = await this.#started(this.#brood, signal);
      try {
        return await brood.lease(signal, group);
      } catch (error) {
        if (!brood.hasEnded) throw error;
        // The zygote died before it could give a guest; its replacement takes its place.
        await untilAborted(brood.closed, signal);
      }
    }
  }

  async #started(brood: Promise<Brood>, signal: AbortSignal): Promise<Brood> {
    try {
      return await untilAborted(brood, signal);
    } catch (cause) {
      signal.throwIfAborted();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CodemodeError("unavailable", `cpython: ${why}`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const brood = this.#brood;
    this.#brood = undefined;
    this.#reason = "the sandbox is closed";
    await brood?.then(
      (one) => one[Symbol.asyncDispose](),
      () => {},
    );
  }

  async #launch(python: Python, previous?: Brood): Promise<void> {
    const starting = this.#provenBrood(python, previous);
    this.#brood = starting;
    const brood = await starting;
    this.#reason = "";
    void brood.closed.then((reason) => this.#replace(brood, python, reason));
  }

  async #provenBrood(python: Python, previous: Brood | undefined): Promise<Brood> {
    await previous?.[Symbol.asyncDispose]();
    const { secondWall, onWarning } = this.#options;
    const unwanted = secondWall === "off" ? "the configuration says off" : undefined;
    let fault = "";
    for (let attempt = 1; attempt <= wallAttempts; attempt += 1) {
      try {
        return await this.#startBrood(python, unwanted);
      } catch (error) {
        if (!(error instanceof SecondWallFault)) throw error;
        fault = error.message;
      }
    }
    onWarning(`the second wall does not hold guests: ${fault}; starting without it`);
    return await this.#startBrood(python, fault);
  }

  /** A zygote whose walls the probes have tried; one below the required tier is ended again. */
  async #startBrood(python: Python, noSecondWall: string | undefined): Promise<Brood> {
    const { requireTier, spare, sitePackages, onWarning } = this.#options;
    const brood = await startBrood({
      python: python.path,
      spare,
      sitePackages,
      signal: this.#closing.signal,
      onStderr: (line) => onWarning(`the Python zygote: ${line}`),
      chooseLayers: (hello) => this.#chooseLayers(hello),
    });
    try {
      const { signal } = this.#closing;
      const lease = (leaseSignal: AbortSignal) => brood.leaseForProbes("locked", leaseSignal);
      const options = { python: python.path, unwanted: noSecondWall, signal };
      const ofLock = await probeLock(lease, signal);
      this.#probes = [...ofLock, ...(await addSecondWall(brood, options))];
      this.#tier = provenTier(this.#probes);
      if (!isAtLeast(this.#tier, requireTier)) throw this.#below(requireTier);
      brood.replenish();
      return brood;
    } catch (error) {
      await brood[Symbol.asyncDispose]();
      throw error;
    }
  }

  #chooseLayers(hello: ZygoteHello): readonly Layer[] {
    this.#missing = Object.entries(hello.missing).map(([layer, error]) => `${layer} (${error})`);
    if (this.#missing.length > 0 && isAtLeast(this.#options.requireTier, "T2")) {
      this.#tier = undefined;
      throw this.#below(this.#options.requireTier);
    }
    return allLayers.filter((layer) => hello.missing[layer] === undefined);
  }

  #below(required: IsolationTier): Error {
    const granted = this.#probes
      .filter((probe) => !probe.refused && (probe.group !== "namespaces" || required === "T3"))
      .map(({ name, group, detail }) => (group === "namespaces" ? `${name} (${detail})` : name));
    const causes = [
      ...(this.#missing.length > 0
        ? [`this kernel does not give ${this.#missing.join(" and ")}`]
        : []),
      ...(granted.length > 0 ? [`what was let through: ${granted.join(", ")}`] : []),
    ];
    const why = causes.join("; ") || `the lock proves ${this.#tier ?? "nothing"} and no more`;
    return new Error(`isolation is below the required tier ${required}: ${why}`);
  }

  #warnings(): string[] {
    if (this.#tier === undefined || this.#reason !== "" || isAtLeast(this.#tier, "T2")) return [];
    return [
      `weak isolation ${this.#tier}: this kernel does not give ${this.#missing.join(" and ")}`,
    ];
  }

  async #replace(ended: Brood, python: Python, reason: string): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#options.onWarning(`${reason}; starting another zygote`);
    while (!this.#closing.signal.aborted) {
      try {
        return await this.#launch(python, ended);
      } catch (error) {
        this.#brood = undefined;
        this.#reason = error instanceof Error ? error.message : String(error);
        this.#options.onWarning(`the Python zygote could not be replaced: ${this.#reason}`);
        await sleep(restartDelayMs, this.#closing.signal).catch(() => {});
      }
    }
  }
}
