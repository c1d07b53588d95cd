import type { ProcessStatus } from "../support/processes.ts";
import type { Fault } from "./acts.ts";
import type { Blow } from "./blows.ts";
import { enginesAtWork, targetsOf } from "./targets.ts";
import type { World } from "./world.ts";

/** Does what a fault does to the service's processes; undefined where there is none to do it to. */
export function strike(fault: Exclude<Fault, { kind: "burst" }>, world: World): Blow | undefined {
  const targets = targetsOf(world.pid, world.processes());
  const { guests, zygotes, engines } = targets;
  const { kind, place } = fault;
  const deal = (
    signal: NodeJS.Signals,
    engine: string,
    among: readonly ProcessStatus[],
  ): Blow | undefined => {
    const at = Date.now();
    const pid = send(signal, place, among);
    if (pid === undefined) return undefined;
    return { kind, engine, at, until: at, pid, victims: new Map() };
  };
  switch (kind) {
    case "kill_guest":
      return deal("SIGKILL", "cpython", guests);
    case "stop_guest":
      return goOnAfter(fault.forMs, deal("SIGSTOP", "cpython", guests));
    case "stop_engine":
      return goOnAfter(fault.forMs, deal("SIGSTOP", "quickjs", enginesAtWork(targets)));
    case "kill_zygote":
      return deal("SIGKILL", "cpython", zygotes);
    case "kill_engine":
      return deal("SIGKILL", "quickjs", engines);
  }
}

// The service ends an engine that does not answer; a guest that waits stands still until it gets a program.
const silentEngineMs = 15_000;

function goOnAfter(forMs: number | undefined, blow: Blow | undefined): Blow | undefined {
  if (blow === undefined) return undefined;
  blow.until = Infinity;
  if (forMs !== undefined) {
    setTimeout(() => {
      blow.until = Date.now();
      send("SIGCONT", 0, [blow]);
    }, forMs);
  } else if (blow.kind === "stop_engine") {
    blow.until = blow.at + silentEngineMs;
  }
  return blow;
}

/** The process that got the signal; undefined where there is none, or it has just ended. */
function send(
  signal: NodeJS.Signals,
  place: number,
  among: readonly { readonly pid: number }[],
): number | undefined {
  const pid = among[Math.floor(place * among.length)]?.pid;
  if (pid === undefined) return undefined;
  try {
    process.kill(pid, signal);
    return pid;
  } catch {
    return undefined;
  }
}
