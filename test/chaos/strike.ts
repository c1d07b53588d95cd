import type { ProcessStatus } from "../support/processes.ts";
import type { Fault } from "./acts.ts";
import type { Blow } from "./blows.ts";
import type { World } from "./world.ts";

/** Does what a fault does to the service's processes; undefined where there is none to do it to. */
export function strike(fault: Exclude<Fault, { kind: "burst" }>, world: World): Blow | undefined {
  const all = world.processes();
  const own = all.filter(({ parent }) => parent === world.pid);
  const zygotes = own.filter(({ name }) => name.startsWith("python"));
  const engines = own.filter(({ name }) => !name.startsWith("python"));
  // The first process of a process namespace holds its guests, as the zygote does.
  const isKeeper = ({ fields }: ProcessStatus) => /\s1$/.test(fields.get("NSpid") ?? "");
  const below = all.filter(({ parent }) => parent !== world.pid);
  const guests = below.filter((one) => !isKeeper(one));
  const holders = [...zygotes, ...below.filter(isKeeper)];
  const at = Date.now();
  switch (fault.kind) {
    case "kill_guest": {
      const pid = signal(guests, fault.place, "SIGKILL");
      return pid === undefined
        ? undefined
        : { kind: fault.kind, at, until: at, pid, explains: undefined };
    }
    case "stop_guest": {
      const pid = signal(guests, fault.place, "SIGSTOP");
      if (pid === undefined) return undefined;
      const blow: Blow = { kind: fault.kind, at, until: Infinity, pid, explains: undefined };
      if (fault.forMs !== undefined) {
        setTimeout(() => {
          blow.until = Date.now();
          send(pid, "SIGCONT");
        }, fault.forMs);
      }
      return blow;
    }
    case "kill_zygote":
    case "kill_engine": {
      const some = fault.kind === "kill_engine" ? engines : holders;
      const pid = signal(some, fault.place, "SIGKILL");
      return pid === undefined
        ? undefined
        : { kind: fault.kind, at, until: at, pid, explains: undefined };
    }
  }
}

function signal(
  processes: readonly { readonly pid: number }[],
  place: number,
  name: NodeJS.Signals,
): number | undefined {
  const pid = processes[Math.floor(place * processes.length)]?.pid;
  return pid !== undefined && send(pid, name) ? pid : undefined;
}

function send(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false; // it has just ended
  }
}
