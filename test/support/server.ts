import { readdirSync, readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { pino } from "pino";
import type { Executor } from "../../src/executors/executor.ts";
import { parseConfig } from "../../src/server/config.ts";
import { createServer, type Server } from "../../src/server/server.ts";
import type { Settings } from "../../src/server/settings.ts";

/** Options of `startServer`. */
export interface StartOptions {
  readonly executors?: readonly Executor[];
  /** Beside loopback and a free port. */
  readonly settings?: Settings;
}

/** One line of the server's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A server for one test. Disposing it throws when it leaves something behind. */
export interface TestServer extends Server {
  /** What it logged so far. */
  readonly log: readonly LogLine[];
}

/** Starts the service on loopback, on a free port. */
export async function startServer({ executors, settings }: StartOptions = {}): Promise<TestServer> {
  const childrenBefore = children();
  const log: LogLine[] = [];
  const sink = new PassThrough();
  sink.on("data", (line) => log.push(JSON.parse(String(line))));
  const logger = pino({ level: "debug", base: null }, sink);
  const config = parseConfig({ host: "127.0.0.1", port: 0, ...settings });
  const server = await createServer(config, { logger, ...(executors && { executors }) });
  return {
    ...server,
    log,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      const { connections, inUse, queued, followers, runningLogBytes } = server.stats();
      const held = { connections, inUse, queued, followers, runningLogBytes };
      const left = { ...held, children: newcomers(childrenBefore) };
      if (Object.values(held).some((number) => number !== 0) || left.children.length > 0)
        throw new Error(`the server left behind ${JSON.stringify(left)}`);
    },
  };
}

function newcomers(before: ReadonlySet<string>): string[] {
  return [...children()].filter((pid) => !before.has(pid));
}

/** Processes that this one started; none are seen where there is no /proc. */
function children(): Set<string> {
  try {
    return new Set(
      readdirSync("/proc/self/task").flatMap((task) =>
        readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter(Boolean),
      ),
    );
  } catch (error) {
    if (process.platform === "linux") throw error;
    return new Set();
  }
}
