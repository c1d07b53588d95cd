import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";

const lowest = 19;

/**
 * From now on a process, with its threads and its session, lets others go first that want the same core,
 * as far as this machine lets us say so. False when the kernel wants it to be said again later.
 */
export function standBack(pid: number): boolean {
  for (const thread of threadsOf(pid)) lower(thread);
  return lowerSession(pid);
}

/** The same for the one thread of a process that has this name. */
export function standBackThread(pid: number, name: string): void {
  // The newest are the last.
  const found = threadsOf(pid).findLast((thread) => nameOf(pid, thread) === name);
  if (found !== undefined) lower(found);
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return []; // gone, or a system without /proc
  }
}

function nameOf(pid: number, thread: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8").trimEnd();
  } catch {
    return undefined; // gone
  }
}

function lower(thread: number): void {
  try {
    setPriority(thread, lowest);
  } catch {
    // Gone, or another user's.
  }
}

// Where the kernel weighs sessions against each other (sched_autogroup), threads alone would change nothing.
// It takes ten words on that in a second.
function lowerSession(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(lowest), { flag: "r+" });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EAGAIN";
  }
}
