import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Settings } from "../src/server/settings.ts";
import { answerOf } from "./child.ts";
import { cpuMsOf, descendantsOf, peakBytesOf, resetPeakOf } from "./processes.ts";

/** What a process holds and has used. */
export interface Usage {
  readonly rssBytes: number;
  /** JavaScript objects that are alive, or dead and not collected yet. */
  readonly heapBytes: number;
  readonly cpuMs: number;
}

/** How late an event loop was, milliseconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What a started server says of itself. */
export interface Hello {
  readonly url: string;
  readonly echoUrl: string;
  /** Such as "cpython 3.11.7 T2". */
  readonly engines: readonly string[];
}

/** What the server's process can be asked. */
export type Ask = "usage" | "collect" | "watchLoop" | "loopDelay" | "inUse" | "queued";

/** The measured service in a process of its own. One question at a time. */
export interface ServerProcess extends Hello, AsyncDisposable {
  usage(): Promise<Usage>;
  /** Usage after a garbage collection. */
  collect(): Promise<Usage>;
  watchLoop(): Promise<void>;
  /** Delay since `watchLoop`. */
  loopDelay(): Promise<LoopDelay>;
  /** Executions that hold a slot. */
  inUse(): Promise<number>;
  /** Executions that wait for one. */
  queued(): Promise<number>;
  /** The most that it had resident since `resetPeak`, bytes. */
  peakBytes(): number;
  resetPeak(): void;
  /** Processes of the engines, at this moment. */
  enginePids(): number[];
  /** CPU time of the engines' processes and of those that they have reaped, milliseconds. */
  guestCpuMs(): number;
}

/** Starts a fresh server: what one figure leaves behind does not colour the next. */
export async function startServerProcess(settings: Settings = {}): Promise<ServerProcess> {
  const child = fork(fileURLToPath(new URL("./server.ts", import.meta.url)), {
    execArgv: ["--conditions=codemode-source", "--expose-gc"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  child.send(settings);
  const hello = (await answerOf(child)) as Hello;
  const ask = (question: Ask): Promise<unknown> => {
    child.send(question);
    return answerOf(child);
  };
  return {
    ...hello,
    usage: () => ask("usage") as Promise<Usage>,
    collect: () => ask("collect") as Promise<Usage>,
    watchLoop: async () => void (await ask("watchLoop")),
    loopDelay: () => ask("loopDelay") as Promise<LoopDelay>,
    inUse: () => ask("inUse") as Promise<number>,
    queued: () => ask("queued") as Promise<number>,
    peakBytes: () => peakBytesOf(child.pid ?? 0),
    resetPeak: () => resetPeakOf(child.pid ?? 0),
    enginePids: () => descendantsOf(child.pid ?? 0),
    guestCpuMs: () => descendantsOf(child.pid ?? 0).reduce((sum, pid) => sum + cpuMsOf(pid), 0),
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
