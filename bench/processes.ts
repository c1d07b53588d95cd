import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** All processes below one, at this moment. */
export function descendantsOf(pid: number): number[] {
  const children = readTasks(pid).flatMap((task) =>
    readNumbers(`/proc/${pid}/task/${task}/children`),
  );
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** The process among some that calls itself by a pid, which counts in a pid namespace of its own. */
export function withInnerPid(pids: readonly number[], inner: number): number {
  const found = pids.find((pid) => {
    const [, numbers = ""] = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${pid}/status`)) ?? [];
    return Number(numbers.split(/\s+/).at(-1)) === inner;
  });
  if (found === undefined) throw new Error(`there is no guest ${inner}`);
  return found;
}

/** Fields 14 to 17 of /proc/PID/stat (proc(5)): its own time and that of the children it has reaped, milliseconds. */
export function cpuMsOf(pid: number): number {
  const fields = read(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks * 10;
}

/** What a process shares with no other, bytes; 0 for one that is gone. */
export function privateBytesOf(pid: number): number {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  const sizes = [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)];
  return sizes.reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1_024, 0);
}

/** The most that a process had resident since `resetPeakOf`, bytes. */
export function peakBytesOf(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return Number(kilobytes) * 1_024;
}

/** Begins anew with the most that a process has resident (proc(5), clear_refs). */
export function resetPeakOf(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function readTasks(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // gone in the meantime
  }
}

function readNumbers(path: string): number[] {
  return read(path).split(" ").filter(Boolean).map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // gone in the meantime
  }
}
