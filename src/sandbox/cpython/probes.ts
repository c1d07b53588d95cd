import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { onAbort, startDeadline } from "../../shared/abort.ts";
import type { ProgramResult } from "../../shared/model.ts";
import type { GroupedProbe } from "../isolation.ts";
import { type Aims, createTargets } from "../wall/targets.ts";
import { openDecoy } from "./decoy.ts";
import type { CpythonGuest } from "./guest.ts";

const lockScript = fileURLToPath(new URL("./guest/probe.py", import.meta.url));
const namespacesScript = fileURLToPath(new URL("./guest/probe_namespaces.py", import.meta.url));
const probeMs = 20_000;

// What a lock answers; anything else that is not "done" says that the attempt itself was wrong.
const lockRefusals: ReadonlySet<string> = new Set(["EPERM", "EACCES", "ENOSYS", "EBADF"]);
// What is not there cannot be found; EPERM and EACCES would be the work of a user id.
const namespaceRefusals: ReadonlySet<string> = new Set(
  "ENOENT ESRCH EROFS ENETUNREACH ECONNREFUSED".split(" "),
);

const answers = z.record(z.string(), z.string());
const reportSchema = z.object({ files: answers, kernel: answers, namespaces: answers }).partial();

/** Gives a guest to probes; it is killed when they end. */
export type ProbeLease = (signal: AbortSignal) => Promise<CpythonGuest>;

/**
 * Lets a locked guest try to break out, with a canary file and listeners of the host as its targets,
 * and checks on the host's side that nothing came of it. Throws when the probes could not be run.
 */
export async function probeLock(
  lease: ProbeLease,
  parent: AbortSignal,
): Promise<readonly GroupedProbe[]> {
  const { report, traces } = await attempt(lockScript, lease, {}, parent);
  return [...rows("files", report), ...rows("kernel", report), traceRow("files", traces)];
}

/** Options of `probeNamespaces`. */
export interface NamespaceProbeOptions {
  /** Path of an interpreter that makes what the guest shall not find. */
  readonly python: string;
  readonly signal: AbortSignal;
}

/**
 * Lets a guest without the lock's layers try to reach what is outside of its namespaces. Throws when
 * the probes could not be run.
 */
export async function probeNamespaces(
  lease: ProbeLease,
  { python, signal }: NamespaceProbeOptions,
): Promise<readonly GroupedProbe[]> {
  await using decoy = await openDecoy(python, signal);
  const config = { memory: decoy.memoryKey };
  const { report, traces } = await attempt(namespacesScript, lease, config, signal);
  return [...rows("namespaces", report, traces), traceRow("namespaces", traces)];
}

type Report = z.infer<typeof reportSchema>;

async function attempt(
  script: string,
  lease: ProbeLease,
  config: object,
  parent: AbortSignal,
): Promise<{ report: Report; traces: readonly string[] }> {
  using deadline = startDeadline({
    ms: probeMs,
    reason: new Error("the isolation probes did not end"),
    parent,
  });
  await using targets = await createTargets();
  using guest = await lease(deadline.signal);
  const program = await readFile(script, "utf8");
  const answer = await run(guest, program, { ...targets.aims, ...config }, deadline.signal);
  return { report: reportSchema.parse(JSON.parse(answer)), traces: await targets.traces() };
}

function rows(group: keyof Report, report: Report, traces: readonly string[] = []): GroupedProbe[] {
  const said = report[group] ?? {};
  const isNamespaced = said["have a process number of the host"] === "ESRCH";
  return Object.entries(said).map(([name, detail]) => {
    if (group !== "namespaces") return { group, name, refused: lockRefusals.has(detail), detail };
    // The service's number is another process's inside: the host says whether it was hit.
    const isOwn = name === "signal the service" && isNamespaced && !traces.includes("a signal");
    const isOfUser = name === "write to a file that may be read" && detail === "EACCES";
    const refused = namespaceRefusals.has(detail) || isOwn || isOfUser;
    return { group, name, refused, detail };
  });
}

function traceRow(group: keyof Report, traces: readonly string[]): GroupedProbe {
  const refused = traces.length === 0;
  return { group, name: "leave a trace on the host", refused, detail: traces.join(", ") };
}

async function run(
  guest: CpythonGuest,
  code: string,
  aims: Aims,
  signal: AbortSignal,
): Promise<string> {
  const config = { ...aims, self: guest.pid };
  using _ = onAbort(signal, () => guest.kill());
  guest.start({
    text: JSON.stringify({
      code,
      context: {},
      config,
      tools: [],
      hasMoreTools: false,
      maxOpenCalls: 1,
    }),
    seed: 0n,
    memoryBytes: 256 * 1024 * 1024,
    wallMs: 60_000,
    activeMs: probeMs,
    threads: 1,
    resultBytes: 64 * 1024,
    outputBytes: 64 * 1024,
    toolPayloadBytes: 0,
  });
  let result: ProgramResult | undefined;
  for await (const frame of guest.frames) if (frame.type === "result") result ??= frame.result;
  const exit = await guest.exited;
  signal.throwIfAborted();
  if (result?.status === "completed" && result.value.json !== undefined) return result.value.json;
  const why = result?.status === "failed" ? result.error.message : `${exit.cause} ${exit.detail}`;
  throw new Error(`the isolation probes failed: ${why}`);
}
