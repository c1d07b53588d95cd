import { dirname, extname } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { onAbort, startDeadline, untilAborted } from "../../shared/abort.ts";
import type { GroupedProbe } from "../isolation.ts";
import type { Attempted } from "./attempts.ts";
import { createTargets } from "./targets.ts";
import type { Wall } from "./wall.ts";

const proveMs = 20_000;
// The ending says whether sources run, or what was built from them.
const main = fileURLToPath(new URL(`./probe-main${extname(import.meta.url)}`, import.meta.url));

// What a wall answers; anything else says that it was reached, or that the attempt itself was wrong.
const refusals: ReadonlySet<string> = new Set(
  "EPERM EACCES ENOENT ESRCH EROFS EBADF ENOSYS ENETUNREACH ECONNREFUSED".split(" "),
);

const answers = z.record(z.string(), z.string());
const attemptedSchema = z.object({ files: answers, kernel: answers, namespaces: answers });

/**
 * Lets a process inside the wall try to get out, with targets of the host, and checks on the host's
 * side that nothing came of it. Rejects when the probes could not be run, or when the signal aborts.
 */
export async function proveWall(wall: Wall, parent: AbortSignal): Promise<readonly GroupedProbe[]> {
  using deadline = startDeadline({
    ms: proveMs,
    reason: new Error("the probes of the wall did not end"),
    parent,
  });
  const { signal } = deadline;
  await using targets = await createTargets();
  using process = wall.start({ args: [main], readable: [dirname(main)] });
  using _ = onAbort(signal, () => process.kill());
  const said = Promise.all([text(process.channel), text(process.child.stderr)]);
  process.channel.write(`${JSON.stringify(targets.aims)}\n`);
  const [answer, complaint] = await untilAborted(said, signal);
  const { code } = await process.exited;
  signal.throwIfAborted();
  if (answer === "") {
    throw new Error(`the probes of the wall failed: ${complaint.trim() || `status ${code}`}`);
  }
  const attempted = attemptedSchema.parse(JSON.parse(answer));
  return toProbes(attempted, await targets.traces(), wall.layers.includes("namespaces"));
}

/** Rows of what was attempted behind a wall, with what the host saw of it. */
function toProbes(
  attempted: Attempted,
  traces: readonly string[],
  hasNamespaces: boolean,
): readonly GroupedProbe[] {
  const row =
    (group: GroupedProbe["group"]) =>
    ([name, detail]: [string, string]) => {
      // In a process namespace the service's number is another process's: the host says who was hit.
      const isOwn = hasNamespaces && name === "signal the service" && !traces.includes("a signal");
      return { group, name, refused: refusals.has(detail) || isOwn, detail };
    };
  return [
    ...Object.entries(attempted.files).map(row("files")),
    ...(hasNamespaces ? Object.entries(attempted.namespaces).map(row("files")) : []),
    ...Object.entries(attempted.kernel).map(row("kernel")),
    {
      group: "files",
      name: "leave a trace on the host",
      refused: traces.length === 0,
      detail: traces.join(", "),
    },
  ];
}
