import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { startDeadline, untilAborted } from "../../shared/abort.ts";
import { CodemodeError } from "../../shared/errors.ts";
import { CpythonGuest } from "./guest.ts";
import { type GuestListener, listenForGuests } from "./listener.ts";
import { Spares } from "./spares.ts";
import { Supply } from "./supply.ts";
import {
  type ExitReport,
  type GuestLimits,
  type Layer,
  spawnZygote,
  type Zygote,
  type ZygoteHello,
} from "./zygote.ts";

/** After this time a kill that has not been reported makes the zygote be asked whether it hangs. */
const killPatienceMs = 2_000;
const pongMs = 3_000;
const startMs = 30_000;
/** How long the first frame of a guest that is dead already may be on its way. */
const earlyMs = 5_000;

/** Part of the spare guests that is of full priority. */
const promptShare = 3 / 8;
/** By how much the others stand behind them. */
const ordinaryNice = 10;

/** Options of `startBrood`. */
export interface BroodOptions {
  readonly python: string;
  readonly sitePackages: readonly string[];
  /** Guests that are kept locked and waiting. */
  readonly spare: number;
  /** Chooses the layers of the lock once the zygote has told what the kernel gives. */
  readonly chooseLayers: (hello: ZygoteHello) => readonly Layer[];
  readonly onStderr: (line: string) => void;
  /** Gives up the start when it aborts. */
  readonly signal: AbortSignal;
}

/** A zygote and the guests that it forked. They die together. */
export interface Brood extends AsyncDisposable {
  readonly hello: ZygoteHello;
  /** The zygote is gone or about to be; `lease` will not succeed again. */
  readonly hasEnded: boolean;
  /** Resolves when the zygote and all that belonged to it are gone, with the reason. */
  readonly closed: Promise<string>;
  /** Moves the zygote, and guests that come after, into namespaces; resolves with why it could not. */
  enterNamespaces(signal: AbortSignal): Promise<string | undefined>;
  /** A guest for probes, and for nothing else: locked like any other, or with no layer of the lock. */
  leaseForProbes(kind: "locked" | "bare", signal: AbortSignal): Promise<CpythonGuest>;
  /** Forks the guests that shall wait. For when the probes are done. */
  replenish(): void;
  /** A locked guest that waits; rejects `unavailable` when the zygote is gone or cannot fork. */
  lease(signal: AbortSignal, group: string): Promise<CpythonGuest>;
  /** Kills the zygote and all its guests. */
  destroy(): void;
}

/** Starts a zygote; `replenish` lets it fork its first spare guests. */
export async function startBrood(options: BroodOptions): Promise<Brood> {
  const litters = new Map<string, Spares>();
  const createLitter = (
    target: number,
    kind: { readonly bare: boolean; readonly nice: number },
  ) => {
    const litterOptions = { ...kind, token: randomUUID() };
    const { token } = litterOptions;
    const litter = new Spares({ target, fork: (count) => zygote.fork(count, litterOptions) });
    litters.set(token, litter);
    return litter;
  };
  const promptCount = Math.ceil(options.spare * promptShare);
  const prompt = createLitter(promptCount, { bare: false, nice: 0 });
  const ordinary = createLitter(options.spare - promptCount, { bare: false, nice: ordinaryNice });
  const supply = new Supply({ prompt, ordinary });
  const forProbes = {
    locked: createLitter(0, { bare: false, nice: 0 }),
    bare: createLitter(0, { bare: true, nice: 0 }),
  };
  const guests = new Map<number, CpythonGuest>();
  const connecting = new Set<CpythonGuest>();
  // Exits of processes that are not known as guests yet: their first frame may be on its way.
  const early = new Map<number, ExitReport>();
  let endReason: string | undefined;

  const gone = (reason: string) => new CodemodeError("unavailable", reason);
  const keeper = {
    watch(pid: number, limits: GuestLimits) {
      const guest = guests.get(pid);
      if (guest !== undefined) zygote.watch(pid, limits, supply.shareOf(guest));
    },
    kill(pid: number) {
      const guest = guests.get(pid);
      if (guest === undefined) return;
      zygote.kill(pid);
      const isStillThere = () => guests.get(pid) === guest;
      setTimeout(() => isStillThere() && zygote.destroyIfSilent(pongMs), killPatienceMs).unref();
    },
  };
  const onConnection = async (guest: CpythonGuest) => {
    connecting.add(guest);
    try {
      const ready = await guest.ready;
      const litter = litters.get(ready.token);
      if (litter === undefined) throw new Error("a stranger connected");
      if (ready.fault !== undefined) return fail(`a guest could not be locked: ${ready.fault}`);
      const report = early.get(guest.pid);
      early.delete(guest.pid);
      if (report !== undefined) return guest.onReaped(report);
      guests.set(guest.pid, guest);
      litter.add(guest);
    } catch {
      guest.onLost(); // it never came to be a guest; who asked waits for the next
    } finally {
      connecting.delete(guest);
    }
  };
  const fail = (reason: string) => {
    endReason ??= reason;
    zygote.destroy();
  };

  const listener: GuestListener = await listenForGuests((socket) => {
    void onConnection(new CpythonGuest(socket, keeper));
  });
  let zygote: Zygote;
  using deadline = startDeadline({
    ms: startMs,
    reason: new Error("the Python zygote did not start"),
    parent: options.signal,
  });
  try {
    zygote = await spawnZygote({
      signal: deadline.signal,
      python: options.python,
      onStderr: options.onStderr,
      onForkFailed(token, message) {
        litters.get(token)?.miss();
        litters.get(token)?.refuseAll(gone(`no guest could be forked: ${message}`));
      },
      onExit(pid, report) {
        const guest = guests.get(pid);
        const litter = litters.get(report.token);
        guests.delete(pid);
        if (guest === undefined) {
          early.set(pid, report);
          setTimeout(() => early.delete(pid), earlyMs).unref();
          litter?.miss();
        } else {
          guest.onReaped(report);
          litter?.remove(guest);
          supply.forget(guest);
        }
        litter?.replenish();
      },
    });
    await startZygote(zygote, listener, options, deadline.signal);
  } catch (error) {
    await listener[Symbol.asyncDispose]();
    throw error;
  }
  const closed = zygote.closed.then(async () => {
    const reason = endReason ?? "the Python zygote died";
    endReason = reason;
    for (const guest of [...guests.values(), ...connecting]) guest.onLost();
    guests.clear();
    for (const litter of litters.values()) {
      litter.clear();
      litter.refuseAll(gone(reason));
    }
    await listener[Symbol.asyncDispose]();
    return reason;
  });
  const leaseFrom = async (litter: Pick<Spares, "lease">, signal: AbortSignal, group: string) => {
    signal.throwIfAborted();
    if (endReason !== undefined) throw gone(endReason);
    return litter.lease(signal, group);
  };

  return {
    hello: zygote.hello,
    closed,
    get hasEnded() {
      return endReason !== undefined;
    },
    destroy: () => zygote.destroy(),
    enterNamespaces: (signal) => untilAborted(zygote.enterNamespaces(), signal),
    leaseForProbes: (kind, signal) => leaseFrom(forProbes[kind], signal, ""),
    replenish() {
      prompt.replenish();
      ordinary.replenish();
    },
    lease: (signal, group) => leaseFrom(supply, signal, group),
    async [Symbol.asyncDispose]() {
      endReason ??= "the sandbox is closed";
      await zygote[Symbol.asyncDispose]();
      await closed;
    },
  };
}

async function startZygote(
  zygote: Zygote,
  listener: GuestListener,
  options: BroodOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    const layers = options.chooseLayers(zygote.hello);
    const { sitePackages } = options;
    const cores = availableParallelism();
    const started = zygote.start({ socket: listener.path, layers, sitePackages, cores });
    await untilAborted(started, signal);
    // The zygote holds the socket by a descriptor now: whatever happens to us, no file is left behind.
    await listener.unlink();
  } catch (error) {
    zygote.destroy();
    await zygote.closed;
    throw error;
  }
}
