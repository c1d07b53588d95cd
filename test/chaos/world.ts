import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Codemode, defineTool, serveTools } from "../../src/index.ts";
import type { Settings } from "../../src/server/settings.ts";
import { connectClient, type TestClient } from "../support/client.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { descendants, type ProcessStatus } from "../support/processes.ts";
import { connectGenerated } from "./generated-peer.ts";
import { type Peer, serviceName } from "./peer.ts";
import { tenants } from "./plan.ts";
import { programEngines } from "./programs.ts";
import { connectRaw } from "./raw-peer.ts";
import type { SdkClient } from "./sdk-lead.ts";
import type { Arguments } from "./tools.ts";

const spareGuests = 4;
const drainMs = 2_000;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The service under test, its tool service, and the ways to it. */
export interface World extends AsyncDisposable {
  readonly url: string;
  /** Process id of the service. */
  readonly pid: number;
  /** How it ended; undefined while it runs. */
  readonly exit: Exit | undefined;
  /** Resolves when it has ended. */
  readonly exited: Promise<Exit>;
  /** Languages whose engines are up. */
  readonly languages: readonly string[];
  /** The last lines that it wrote. */
  readonly lines: readonly string[];
  /** A client of a tenant that no fault befalls. */
  auditor(tenant: string): TestClient;
  generated(tenant: string): Promise<Peer>;
  raw(tenant: string): Promise<Peer>;
  sdk(tenant: string): Promise<SdkClient>;
  /** How many processes there are below the service when nothing runs: zygotes, engines, guests that wait. */
  readonly restingProcesses: number;
  /** Processes below the service. */
  processes(): readonly ProcessStatus[];
  /** Descriptors that the service has open. */
  descriptors(): Promise<number>;
  /** Bytes on its heap after a garbage collection. */
  heapBytes(): Promise<number>;
  terminate(): void;
}

/** Told of each `begin`: the program of an execution runs. */
export type OnBegin = (
  token: string,
  info: { readonly executionId: string; readonly context: Readonly<Record<string, unknown>> },
) => void;

/** Options of `startWorld`. */
export interface WorldOptions {
  readonly onBegin: OnBegin;
  /** How long ended executions are kept, milliseconds. */
  readonly endedForMs: number;
}

/** Starts the service, small enough to overflow, and the tools by which programs say that they run. */
export async function startWorld({ onBegin, endedForMs }: WorldOptions): Promise<World> {
  const begin = defineTool({
    name: "begin",
    description: "",
    execute: ({ token }: Arguments, { executionId, context }) => {
      onBegin(String(token), { executionId, context });
      return null;
    },
  });
  await using starting = new AsyncDisposableStack();
  const toolKey = "ledger-key";
  const toolServer = starting.use(await serveTools([begin], { port: 0, apiKey: toolKey }));
  const folder = await mkdtemp(join(tmpdir(), "codemode-chaos-"));
  starting.defer(() => rm(folder, { recursive: true }));
  const file = join(folder, "codemode.yaml");
  const ledger = { target: toolServer.target, api_key: toolKey };
  const settings = settingsOf(ledger, endedForMs);
  await writeFile(file, JSON.stringify(settings));
  const child = fork(fileURLToPath(new URL("./server.ts", import.meta.url)), [file], {
    execArgv: ["--conditions=codemode-source", "--expose-gc"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  starting.defer(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const url = await untilServing(child, lines);
  let exit: Exit | undefined;
  const exited = once(child, "exit").then(([code, signal]) => {
    exit = { code, signal };
    return exit;
  });
  const auditors = new Map(tenants.map((tenant) => [tenant, connectClient(url, keyOf(tenant))]));
  starting.defer(() => auditors.forEach((client) => void client[Symbol.dispose]()));
  const auditor = (tenant: string) => {
    const client = auditors.get(tenant as (typeof tenants)[number]);
    if (client === undefined) throw new Error(`there is no tenant ${tenant}`);
    return client;
  };
  const { engines } = await auditor(tenants[0]).executor.getServerInfo({});
  const { pid = 0 } = child;
  const restingProcesses = await untilCalm(() => descendants(pid).length);
  const resources = starting.move();
  return {
    url,
    pid,
    restingProcesses,
    lines,
    exited,
    auditor,
    get exit() {
      return exit;
    },
    languages: engines.filter(({ up }) => up).flatMap((engine) => engine.languages),
    generated: (tenant) => connectGenerated(url, keyOf(tenant)),
    raw: (tenant) => connectRaw(url, keyOf(tenant)),
    sdk: (tenant) => connectSdk(url, keyOf(tenant)),
    processes: () => descendants(pid),
    descriptors: async () => (await readdir(`/proc/${pid}/fd`)).length,
    async heapBytes() {
      child.send("collect");
      const [bytes] = await once(child, "message");
      return bytes as number;
    },
    terminate: () => void child.kill("SIGTERM"),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const calmMs = 1_000;

/** A number once it has not changed for a second. */
export async function untilCalm(read: () => number): Promise<number> {
  let last = read();
  for (let since = Date.now(); Date.now() - since < calmMs; await sleep(20)) {
    const now = read();
    if (now !== last) since = Date.now();
    last = now;
  }
  return last;
}

function settingsOf(
  ledger: { readonly target: string; readonly api_key: string },
  endedForMs: number,
): Settings {
  return {
    host: "127.0.0.1",
    port: 0,
    api_keys: tenants.map((tenant) => ({ key: keyOf(tenant), tenant })),
    tool_services: { [serviceName]: ledger },
    log_level: "info",
    engines: [...programEngines],
    spare_guests: spareGuests,
    slots: 16,
    tenant_slots: 12,
    queue_size: 24,
    tenant_queue_size: 16,
    queue_timeout_ms: 8_000,
    drain_ms: drainMs,
    retention: { ended_for_ms: endedForMs, tenant_bytes: 2 ** 28, total_bytes: 2 ** 29 },
  };
}

const keyOf = (tenant: string) => `${tenant}-key`;

async function connectSdk(url: string, apiKey: string): Promise<SdkClient> {
  const proxy = await startCuttingProxy(url);
  const codemode = Codemode.connect({ url: proxy.url, apiKey });
  return {
    codemode,
    cut: () => proxy.cut(),
    stall: () => proxy.stall(),
    knock: () => codemode.serverInfo({ timeoutMs: 30_000 }),
    async [Symbol.asyncDispose]() {
      await codemode.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

// Of the calls around a violation, and what a crash leaves behind.
const linesKept = 4_000;

/** The service's address, when it says that it serves; keeps what it writes from then on. */
async function untilServing(child: ChildProcess, lines: string[]): Promise<string> {
  const serving = Promise.withResolvers<string>();
  const take = (line: string) => {
    lines.push(line);
    if (lines.length > linesKept) lines.shift();
    const url = /codemode serves on (http:\S+):/.exec(line)?.[1];
    if (url !== undefined) serving.resolve(url);
  };
  for (const output of [child.stdout, child.stderr]) {
    if (output !== null) createInterface({ input: output }).on("line", take);
  }
  child.once("exit", (code) => {
    serving.reject(new Error(`the service ended with ${code}: ${lines.join("\n")}`));
  });
  return await serving.promise;
}
