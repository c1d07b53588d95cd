import { z } from "zod";
import { onAbort, startDeadline } from "../../shared/abort.ts";
import type { ProgramResult } from "../../shared/model.ts";
import type { GroupedProbe } from "../isolation.ts";
import type { Guest } from "../sandbox.ts";
import { probeProgram } from "./probe-program.ts";

const probeMs = 20_000;
const reportSchema = z.record(z.string(), z.string());

/**
 * Lets a program try to get out of its instance of QuickJS. Throws when the probes could not be run,
 * or when the signal aborts.
 */
export async function probeBorder(
  lease: (signal: AbortSignal) => Promise<Guest>,
  parent: AbortSignal,
): Promise<readonly GroupedProbe[]> {
  using deadline = startDeadline({
    ms: probeMs,
    reason: new Error("the probes of the border did not end"),
    parent,
  });
  using guest = await lease(deadline.signal);
  using _ = onAbort(deadline.signal, () => guest.kill());
  const result = await run(guest);
  deadline.signal.throwIfAborted();
  if (result?.status !== "completed" || result.value.json === undefined) {
    const why = result?.status === "failed" ? result.error.message : "they ended without a result";
    throw new Error(`the probes of the border failed: ${why}`);
  }
  const report = reportSchema.parse(JSON.parse(result.value.json));
  return Object.entries(report).map(([name, detail]) => ({
    group: "engine",
    name: `reach ${name}`,
    refused: detail === "nothing",
    detail,
  }));
}

async function run(guest: Guest): Promise<ProgramResult | undefined> {
  const program = { code: probeProgram, language: "javascript", context: {}, config: {} };
  guest.start({
    text: JSON.stringify({ ...program, tools: [], hasMoreTools: false, maxOpenCalls: 1 }),
    seed: 0n,
    memoryBytes: 64 * 1024 * 1024,
    wallMs: 60_000,
    activeMs: probeMs,
    threads: 1,
    outputBytes: 64 * 1024,
    resultBytes: 64 * 1024,
    toolPayloadBytes: 0,
  });
  for await (const frame of guest.frames) if (frame.type === "result") return frame.result;
  return undefined;
}
