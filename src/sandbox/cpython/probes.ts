import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startDeadline } from "../../shared/abort.ts";
import type { ProgramResult } from "../../shared/model.ts";
import type { GroupedProbe } from "../isolation.ts";
import type { Guest } from "../sandbox.ts";

const script = fileURLToPath(new URL("./guest/probe.py", import.meta.url));
const probeMs = 20_000;
const canaryText = "a file of the host\n";

// What a lock answers; anything else that is not "done" says that the attempt itself was wrong.
const refusals: ReadonlySet<string> = new Set(["EPERM", "EACCES", "ENOSYS", "EBADF"]);

const reportSchema = z.object({
  files: z.record(z.string(), z.string()),
  kernel: z.record(z.string(), z.string()),
});

/**
 * Lets a guest try to break out, with a canary file and listeners of the host as its targets, and
 * checks on the host's side that nothing came of it. Throws when the probes could not be run.
 */
export async function probeIsolation(
  lease: (signal: AbortSignal) => Promise<Guest>,
  parent: AbortSignal,
): Promise<readonly GroupedProbe[]> {
  using deadline = startDeadline({
    ms: probeMs,
    reason: new Error("the isolation probes did not end"),
    parent,
  });
  await using targets = await createTargets();
  using guest = await lease(deadline.signal);
  const report = reportSchema.parse(JSON.parse(await run(guest, targets, deadline.signal)));
  const traces = await targets.traces();
  return [
    ...toProbes("files", report.files),
    ...toProbes("kernel", report.kernel),
    {
      group: "files",
      name: "leave a trace on the host",
      refused: traces.length === 0,
      detail: traces.join(", "),
    },
  ];
}

function toProbes(group: GroupedProbe["group"], answers: Record<string, string>): GroupedProbe[] {
  return Object.entries(answers).map(([name, detail]) => ({
    group,
    name,
    refused: refusals.has(detail),
    detail,
  }));
}

async function run(guest: Guest, targets: Targets, signal: AbortSignal): Promise<string> {
  const { canary, port, unix } = targets;
  const config = { canary, port, unix, service: process.pid };
  const code = await readFile(script, "utf8");
  const onAbort = () => guest.kill();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    guest.start({
      text: JSON.stringify({ code, context: {}, config, tools: [], hasMoreTools: false }),
      seed: 0n,
      memoryBytes: 256 * 1024 * 1024,
      activeMs: probeMs,
      threads: 1,
      resultBytes: 64 * 1024,
      toolPayloadBytes: 0,
    });
    let result: ProgramResult | undefined;
    for await (const frame of guest.frames) if (frame.type === "result") result ??= frame.result;
    const exit = await guest.exited;
    signal.throwIfAborted();
    if (result?.status === "completed" && result.value.json !== undefined) return result.value.json;
    const why = result?.status === "failed" ? result.error.message : `${exit.cause} ${exit.detail}`;
    throw new Error(`the isolation probes failed: ${why}`);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** What the probes aim at, and what of it was hit. */
interface Targets extends AsyncDisposable {
  readonly canary: string;
  readonly port: number;
  readonly unix: string;
  traces(): Promise<string[]>;
}

async function createTargets(): Promise<Targets> {
  const directory = await mkdtemp(join(tmpdir(), "codemode-probe-"));
  const canary = join(directory, "canary");
  const unix = join(directory, "socket");
  await writeFile(canary, canaryText);
  const before = await stat(canary);
  let connections = 0;
  const tcp = await listen({ host: "127.0.0.1", port: 0 }, () => connections++);
  const local = await listen({ path: unix }, () => connections++);
  return {
    canary,
    unix,
    port: (tcp.address() as AddressInfo).port,
    async traces() {
      const found: string[] = [];
      if (connections > 0) found.push("a connection");
      if ((await readdir(directory)).length !== 2) found.push("a file made or removed");
      const text = await readFile(canary, "utf8").catch(() => "");
      if (text !== canaryText) found.push("a changed file");
      const after = await stat(canary).catch(() => undefined);
      // ctime moves with every change of mode, owner, times or attributes.
      if (after?.ctimeMs !== before.ctimeMs) found.push("a changed inode");
      return found;
    },
    async [Symbol.asyncDispose]() {
      for (const server of [tcp, local]) {
        await new Promise((resolve) => server.close(resolve));
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function listen(
  options: { host: string; port: number } | { path: string },
  onConnection: () => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      onConnection();
      socket.destroy();
    });
    server.once("error", reject);
    server.listen(options, () => resolve(server));
  });
}
