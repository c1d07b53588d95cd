import type { GuestProgram } from "../sandbox.ts";

const maxCpuGraceSeconds = 2;

/** The fixed-size frame of numeric limits that a guest reads first; guest/frames.py LIMITS. */
export function limitsFrame(program: GuestProgram): Buffer {
  const cpuSeconds = Math.ceil(program.activeMs / 1000) + maxCpuGraceSeconds;
  const { memoryBytes, resultBytes, threads, seed, toolPayloadBytes } = program;
  const fields = [memoryBytes, cpuSeconds, resultBytes, threads, seed, toolPayloadBytes];
  const frame = Buffer.alloc(8 * 8);
  for (const [index, field] of fields.entries()) frame.writeBigUInt64LE(BigInt(field), index * 8);
  return frame;
}
