import { Worker } from "node:worker_threads";
import type { RunLimits } from "./run.ts";
import { RunControl } from "./run-control.ts";
import type { RunEnd } from "./run-end.ts";
import type { Snapshot } from "./snapshot.ts";
import type { ThreadCommand, ThreadData, ThreadReport } from "./thread-messages.ts";

const file = new URL(`./worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
// QuickJS counts the stack of its own and stops where that is used up; each of its frames has one of V8's,
// too, up to twenty times as large.
const stackSizeMb = 48;
const maxOldGenerationSizeMb = 512;
// A thread handles little of its own: what its guests have is in their memory.
const maxYoungGenerationSizeMb = 4;
const maxRuns = 2_000;
// An instance takes about 200 KiB of the thread's own heap beside its memory.
const maxRunsAtOnce = 1_000;
// A group that others wait for has its threads for so long, and until what it runs then has ended.
const turnMs = 100;
let lastNumber = 0;

/** What a run has used. */
export interface RunUse {
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}

/** Told what comes out of a thread. */
export interface ThreadListener {
  onData(guest: number, bytes: Uint8Array): void;
  onEnd(guest: number, end: RunEnd, use: RunUse): void;
  /** A run that takes turns waits for something. */
  onRest(guest: number): void;
  /** A run waits for room for so many more pages of memory. */
  onGrow(guest: number, pages: number): void;
  /** What a run that has ended had grown by is free. */
  onFreed(guest: number): void;
  /** The thread is gone, and not because it was stopped. */
  onGone(thread: Thread, why: string): void;
}

/** A run that a thread holds, as the main thread sees it. */
export interface HeldRun {
  readonly control: RunControl;
  limits: RunLimits | undefined;
  /** Its beats when somebody last looked. */
  beats: number;
  /** Frames of the host's that have come while there was no room for it yet; undefined once it has begun. */
  backlog: Uint8Array<ArrayBuffer>[] | undefined;
  /** CPU time of it that counts among what its group has used, milliseconds. */
  countedMs: number;
}

/** A thread with the runs of one group in it. */
export class Thread {
  /** Whose runs it holds; undefined while it holds none. */
  group: string | undefined;
  idleSince = performance.now();
  /** Of this thread alone, and known to the operating system. */
  readonly name: string;
  readonly runs = new Map<number, HeldRun>();
  /** Runs that have ended whose memory had grown, and is not free yet. */
  readonly #unfreed = new Set<number>();
  readonly #worker: Worker;
  readonly #listener: ThreadListener;
  #runCount = 0;
  #isSpoilt = false;
  #standsBack = false;
  #heldSince = 0;
  #isStopped = false;
  readonly ready: Promise<void>;

  constructor(snapshot: Snapshot, listener: ThreadListener) {
    this.#listener = listener;
    const workerData: ThreadData = { snapshot };
    lastNumber += 1;
    this.name = `guests-${lastNumber}`;
    this.#worker = new Worker(file, {
      name: this.name,
      workerData,
      env: {},
      resourceLimits: { stackSizeMb, maxOldGenerationSizeMb, maxYoungGenerationSizeMb },
    });
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.#worker.on("message", (report: ThreadReport) => {
      if (report.type === "ready") ready.resolve();
      else this.#onReport(report);
    });
    const gone = (why: string) => {
      ready.resolve();
      if (this.#isStopped) return;
      this.#isStopped = true;
      listener.onGone(this, why);
    };
    this.#worker.once("error", (error) => gone(error instanceof Error ? error.message : "error"));
    this.#worker.once("exit", (code) => {
      gone(`status ${code}`);
      this.#onFreed([...this.#unfreed]);
    });
  }

  /** Whether it is to take no more runs. */
  get isWorn(): boolean {
    return this.#isSpoilt || this.#runCount >= maxRuns;
  }

  /** Whether it lets other threads go first, which is for good: it is for runs of its group alone. */
  get standsBack(): boolean {
    return this.#standsBack;
  }

  /** Whether it holds as many runs as it can. */
  get isFull(): boolean {
    return this.runs.size >= maxRunsAtOnce;
  }

  /** Whether all of its runs wait: none executes, or has yet to begin. */
  get waits(): boolean {
    for (const { control } of this.runs.values()) if (!control.isWaiting) return false;
    return true;
  }

  /** Whether its group may have one more run in it while other groups wait for threads. */
  get isInTurn(): boolean {
    return performance.now() - this.#heldSince < turnMs;
  }

  /** The run that executes, if one does. */
  executing(): [guest: number, run: HeldRun] | undefined {
    for (const entry of this.runs) if (entry[1].control.isExecuting) return entry;
    return undefined;
  }

  /** Keeps a place for a run. */
  hold(guest: number, group: string): void {
    if (this.runs.size === 0) this.#heldSince = performance.now();
    this.group = group;
    this.#runCount += 1;
    this.runs.set(guest, {
      control: new RunControl(),
      limits: undefined,
      backlog: [],
      beats: 0,
      countedMs: 0,
    });
  }

  /** Forgets a run; true when it was the last. */
  release(guest: number): boolean {
    this.runs.delete(guest);
    if (this.runs.size > 0) return false;
    this.group = undefined;
    this.idleSince = performance.now();
    return true;
  }

  /** The memory of a run that has ended is free only when the thread says so, or is gone. */
  keepUntilFreed(guest: number): void {
    this.#unfreed.add(guest);
  }

  /** It is to free what it can, where it holds something for nobody. */
  collect(): void {
    if (this.#unfreed.size === 0) return;
    this.post({ type: "collect" });
    this.executing()?.[1].control.askToCollect();
  }

  /** From now on it lets other threads go first. */
  standBack(): void {
    this.#standsBack = true;
  }

  post(command: ThreadCommand, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(command, transfer);
  }

  /** CPU time of the thread, milliseconds, whatever it does. */
  async cpuMs(): Promise<number> {
    const { user, system } = await this.#worker.cpuUsage();
    return (user + system) / 1000;
  }

  /** Ends the thread, whatever it does. Nothing more is heard of it. */
  stop(): void {
    this.#isStopped = true;
    void this.#worker.terminate();
  }

  #onReport(report: Exclude<ThreadReport, { type: "ready" }>): void {
    switch (report.type) {
      case "data":
        this.#listener.onData(report.guest, report.bytes);
        return;
      case "end":
        this.#listener.onEnd(report.guest, report.end, report);
        return;
      case "rests":
        this.#listener.onRest(report.guest);
        return;
      case "grow":
        this.#listener.onGrow(report.guest, report.pages);
        return;
      case "freed":
        this.#onFreed(report.guests);
        return;
      case "spoilt":
        this.#isSpoilt = true;
    }
  }

  #onFreed(guests: readonly number[]): void {
    for (const guest of guests) {
      if (this.#unfreed.delete(guest)) this.#listener.onFreed(guest);
    }
  }
}
