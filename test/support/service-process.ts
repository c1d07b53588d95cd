import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, vi } from "vitest";

/** A line of a service's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A service in a process of its own, with scripted programs; disposal kills it. */
export interface ServiceProcess extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly log: readonly LogLine[];
  /** Lets the programs end that are held. */
  release(): void;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended; with its exit code, or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Options of `startServiceProcess`. */
export interface ServiceProcessOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** Beside the port. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it counts the starts of its programs. */
  readonly starts?: Starts;
}

/** Starts the service; resolves when it serves. */
export async function startServiceProcess(
  options: ServiceProcessOptions = {},
): Promise<ServiceProcess> {
  const fixture = fileURLToPath(new URL("fixtures/scripted-service.ts", import.meta.url));
  const child = spawn(process.execPath, [fixture], {
    env: {
      ...process.env,
      CODEMODE_PORT: String(options.port ?? 0),
      STARTS: options.starts?.file ?? "/dev/null",
      ...options.env,
    },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const ended = once(child, "exit").then(([code, signal]) => code ?? signal);
  const log: LogLine[] = [];
  const serving = Promise.withResolvers<string>();
  if (child.stdout === null) throw new Error("the service has no output");
  createInterface(child.stdout).on("line", (text) => {
    const line = JSON.parse(text) as LogLine;
    log.push(line);
    if (typeof line.url === "string") serving.resolve(line.url);
  });
  const url = await Promise.race([
    serving.promise,
    ended.then((how) => Promise.reject(new Error(`the service ended with ${how}`))),
  ]);
  return {
    port: Number(new URL(url).port),
    url,
    log,
    release: () => child.send("release"),
    kill: (signal) => child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** How often programs were started, by the `run` of their context, over all services that count here. */
export interface Starts extends AsyncDisposable {
  readonly file: string;
  of(run: string): Promise<number>;
  all(): Promise<ReadonlyMap<string, number>>;
  /** Resolves when a run has been started. */
  until(run: string): Promise<void>;
}

/** Makes an empty count. */
export async function countStarts(): Promise<Starts> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "codemode-starts-"));
  const file = path.join(folder, "starts");
  await writeFile(file, "");
  const all = async () => {
    const counts = new Map<string, number>();
    for (const run of (await readFile(file, "utf8")).split("\n").slice(0, -1))
      counts.set(run, (counts.get(run) ?? 0) + 1);
    return counts;
  };
  const of = async (run: string) => (await all()).get(run) ?? 0;
  return {
    file,
    all,
    of,
    until: async (run) => {
      await vi.waitFor(async () => expect(await of(run)).toBeGreaterThan(0), {
        timeout: 20_000,
        interval: 10,
      });
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
