import { Codemode, type ConnectOptions } from "../../../src/index.ts";
import type { Settings } from "../../../src/server/settings.ts";
import { type CuttingProxy, startCuttingProxy } from "../../support/cutting-proxy.ts";
import {
  createScriptedExecutor,
  type Script,
  type ScriptedExecutor,
} from "../../support/scripted-executor.ts";
import { startServer, type TestServer } from "../../support/server.ts";

/** A client of a real service, over connections that a test can cut. */
export interface Cuttable extends AsyncDisposable {
  readonly codemode: Codemode;
  readonly proxy: CuttingProxy;
  readonly server: TestServer;
  readonly executor: ScriptedExecutor;
}

/** Options of `startCuttable`. */
export interface CuttableOptions extends Omit<ConnectOptions, "url"> {
  readonly settings?: Settings;
}

/** Waits that tests do not feel. */
export const quick = { baseMs: 5, maxMs: 50, jitter: 0 };

/** Starts a service that runs these scripts, a proxy before it, and a client. */
export async function startCuttable(
  scripts: Readonly<Record<string, Script>>,
  { settings = {}, ...options }: CuttableOptions = {},
): Promise<Cuttable> {
  await using starting = new AsyncDisposableStack();
  const executor = starting.use(createScriptedExecutor(scripts));
  const server = starting.use(await startServer({ executors: [executor], settings }));
  const proxy = starting.use(await startCuttingProxy(server.url));
  const codemode = starting.use(Codemode.connect({ url: proxy.url, retry: quick, ...options }));
  const resources = starting.move();
  return {
    codemode,
    proxy,
    server,
    executor,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** A gate of a script: it waits until the test opens it. */
export function createGate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
