import { readFileSync } from "node:fs";

// USER_HZ of Linux, as every architecture that Node runs on has it; /proc/PID/stat counts in it.
const tickMs = 1000 / 100;

/** What a process has used so far. */
export interface ProcessUse {
  /** All its threads, to 10 ms. */
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}

/** What the kernel says that a living process has used; undefined when it is gone or there is no /proc. */
export function useOf(pid: number): ProcessUse | undefined {
  try {
    // After the name, which may hold anything, in parentheses: utime and stime are fields 14 and 15.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const peakKib = /^VmHWM:\s*(\d+) kB/m.exec(status)?.[1];
    return {
      cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
      peakMemoryBytes: Number(peakKib ?? 0) * 1024,
    };
  } catch {
    return undefined;
  }
}

/** Whether a process is there and has not ended; false where there is no /proc to see it in. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** The program behind launchers that wait for it, each with one child: the last one of them. */
export function programBehind(pid: number): number {
  for (let last = pid; ; ) {
    const [child, ...others] = childrenOf(last);
    if (child === undefined || others.length > 0) return last;
    last = child;
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return []; // gone, or a system without it
  }
}
