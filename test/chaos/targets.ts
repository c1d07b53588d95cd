import { readFileSync } from "node:fs";
import type { ProcessStatus } from "../support/processes.ts";

/** Processes below the service, by what they are to it. */
export interface Targets {
  /** Of Python, those included that wait for a program. */
  readonly guests: readonly ProcessStatus[];
  /** Each zygote, and the first process of the namespace in which its guests are. */
  readonly zygotes: readonly ProcessStatus[];
  /** Each engine of JavaScript: Node, and the launcher above it where there is one. */
  readonly engines: readonly ProcessStatus[];
}

const zygoteMain = "cpython/guest/zygote.py";
const engineMain = "quickjs/engine/main.";

/** Finds out what the processes below a service are. Those that only try the walls are nobody's. */
export function targetsOf(service: number, below: readonly ProcessStatus[]): Targets {
  const roots = below.filter(({ parent }) => parent === service);
  const withMain = (main: string) => roots.filter(({ pid }) => commandOf(pid).includes(main));
  const zygotes = withMain(zygoteMain);
  const litter = zygotes.flatMap((zygote) => allBelow(zygote, below));
  const engines = withMain(engineMain);
  return {
    guests: litter.filter((one) => !isKeeper(one)),
    zygotes: [...zygotes, ...litter.filter(isKeeper)],
    engines: engines.flatMap((engine) => [...allBelow(engine, below), engine]),
  };
}

/** The processes of engines that run their programs: not a launcher, which only waits. */
export function enginesAtWork({ engines }: Targets): readonly ProcessStatus[] {
  return engines.filter(({ pid }) => engines.every(({ parent }) => parent !== pid));
}

function allBelow({ pid }: ProcessStatus, all: readonly ProcessStatus[]): ProcessStatus[] {
  const children = all.filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child, ...allBelow(child, all)]);
}

/** The first of a process namespace holds the others in it. */
function isKeeper({ fields }: ProcessStatus): boolean {
  return /\s1$/.test(fields.get("NSpid") ?? "");
}

/** What a process was started with; empty for one that is gone. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return ""; // it has just ended
  }
}
