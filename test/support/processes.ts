import { existsSync, readdirSync, readFileSync } from "node:fs";
import { vi } from "vitest";

/** A process of this machine, as /proc shows it. */
export interface ProcessStatus {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** Fields of /proc/PID/status by name. */
  readonly fields: ReadonlyMap<string, string>;
}

/** The status of a process; undefined when it is gone. */
export function statusOf(pid: number): ProcessStatus | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return undefined; // it has just ended
  }
  const fields = new Map(
    text.split("\n").map((line): [string, string] => {
      const [name = "", value = ""] = line.split(":\t");
      return [name, value.trim()];
    }),
  );
  if (fields.get("State")?.startsWith("Z")) return undefined;
  return { pid, parent: Number(fields.get("PPid")), name: fields.get("Name") ?? "", fields };
}

/** All living descendants of a process, this one by default. */
export function descendants(of = process.pid): readonly ProcessStatus[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statusOf(Number(name)) ?? []);
  const found: ProcessStatus[] = [];
  const open = [of];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    for (const one of all) {
      if (one.parent !== parent) continue;
      found.push(one);
      open.push(one.pid);
    }
  }
  return found;
}

/** The descendant that calls itself by this number, in whatever process namespace it lives. */
export function calledFromInside(inner: number, of = process.pid): number {
  const found = descendants(of).find(({ fields }) => numbersOf(fields).at(-1) === inner);
  if (found === undefined) throw new Error(`no process calls itself ${inner}`);
  return found.pid;
}

/** A process's numbers, from the host's process namespace to its own. */
function numbersOf(fields: ProcessStatus["fields"]): number[] {
  return (fields.get("NSpid") ?? "").split("\t").map(Number);
}

/** Whether a process holds a process namespace, as its first. */
function isKeeper({ fields }: ProcessStatus): boolean {
  const numbers = numbersOf(fields);
  return numbers.length > 1 && numbers.at(-1) === 1;
}

/** The Python processes below this one: a zygote, and its guests. */
export function zygotes(
  of = process.pid,
): readonly { zygote: ProcessStatus; guests: readonly ProcessStatus[] }[] {
  return descendants(of)
    .filter((one) => one.parent === of && one.name.startsWith("python"))
    .map((zygote) => {
      const guests = descendants(zygote.pid).filter((one) => !isKeeper(one));
      return { zygote, guests };
    });
}

/** Resolves when every one of these processes is gone. */
export async function allGone(pids: readonly number[]): Promise<void> {
  await vi.waitFor(
    () => {
      const left = pids.filter((pid) => statusOf(pid) !== undefined);
      if (left.length > 0) throw new Error(`still alive: ${left.join(", ")}`);
    },
    { timeout: 5_000, interval: 5 },
  );
}

/** Descriptors that this process has open. */
export function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Whether /proc is there to look at. */
export const hasProc = existsSync("/proc/self/status");
