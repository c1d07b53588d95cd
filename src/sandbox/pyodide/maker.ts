import { createHash } from "node:crypto";
import { onAbort, startDeadline, untilAborted } from "../../shared/abort.ts";
import { type KeptMemoryFile, openKeptMemory } from "./kept-memory.ts";
import { type Interpreters, startInterpreterProcess } from "./program.ts";

const makeMs = 120_000;
const maxImageBytes = 256 * 1024 * 1024;

/** Options of `findMemory`. */
export interface FindMemoryOptions {
  readonly interpreters: Interpreters;
  /** Where memories are kept from one start of the service to the next. */
  readonly cacheDirectory: string;
  readonly signal: AbortSignal;
}

/**
 * The memory of an interpreter with its common modules loaded, for this version of everything that it
 * is made of; made in a process of its own where none is kept. Takes seconds then.
 */
export async function findMemory(options: FindMemoryOptions): Promise<KeptMemoryFile> {
  const { interpreters, cacheDirectory, signal } = options;
  const hash = createHash("sha256").update(interpreters.program.text);
  const versions = `pyodide-${interpreters.pyodide.version}-node-${process.versions.node}-${process.arch}`;
  return await openKeptMemory({
    directory: cacheDirectory,
    name: `${versions}-${hash.digest("hex").slice(0, 16)}`,
    make: () => makeImage(interpreters, signal),
  });
}

async function makeImage(interpreters: Interpreters, parent: AbortSignal): Promise<Buffer> {
  using deadline = startDeadline({
    ms: makeMs,
    reason: new Error("the memory of an interpreter was not made in time"),
    parent,
  });
  using maker = startInterpreterProcess(interpreters, undefined);
  using _ = onAbort(deadline.signal, () => maker.kill());
  const { child, channel } = maker;
  const chunks: Buffer[] = [];
  let byteLength = 0;
  let words = "";
  let complaint = "";
  channel.on("data", (chunk: Buffer) => {
    byteLength += chunk.length;
    if (byteLength > maxImageBytes) maker.kill();
    else chunks.push(chunk);
  });
  // Its last word: it is ended then, and what it has sent before is all there.
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    words += text;
    maker.kill();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-1000);
  });
  await untilAborted(maker.exited, deadline.signal);
  if (words.trim() === "made") return Buffer.concat(chunks);
  const why = words.trim() || complaint.trim().split("\n").at(-1) || "it ended without a word";
  throw new Error(`the memory of an interpreter could not be made: ${why}`);
}
