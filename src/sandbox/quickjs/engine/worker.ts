import { parentPort, workerData } from "node:worker_threads";
import { GuestInstance, maxPagesFor } from "./guest-instance.ts";
import { Run } from "./run.ts";
import { RunControl } from "./run-control.ts";
import type { ThreadCommand, ThreadData, ThreadReport } from "./thread-messages.ts";

const port = parentPort;
if (port === null) throw new Error("this file is started by the engine, in a thread");
const { snapshot } = workerData as ThreadData;
const runs = new Map<number, { readonly run: Run; readonly instance: GuestInstance }>();
const commonMemoryBytes = 256 * 1024 * 1024;
// An instance leaves some 200 KiB on the thread's heap, whose own measure does not see that coming.
const endsPerCollection = 32;
// Of instances that have grown, and are not used again.
const unfreedBytesPerCollection = 64 * 1024 * 1024;
let spare: GuestInstance | undefined;
let nextPages = maxPagesFor(snapshot, commonMemoryBytes);
/** Memory of an instance that is not used any more, and how far it may grow. */
let used: { readonly memory: WebAssembly.Memory; readonly maxPages: number } | undefined;
let ends = 0;
let unfreed: number[] = [];
let unfreedBytes = 0;

const send = (report: ThreadReport, transfer: readonly ArrayBuffer[] = []) =>
  port.postMessage(report, transfer);

function createInstance(): GuestInstance {
  const memory = used?.maxPages === nextPages ? used.memory : undefined;
  used = undefined;
  return new GuestInstance(snapshot, nextPages, memory);
}

/** The instance that waits, or one whose memory may grow as far as this program's. */
function takeInstance(memoryBytes: number): GuestInstance {
  nextPages = maxPagesFor(snapshot, memoryBytes);
  const ready = spare?.maxPages === nextPages ? spare : createInstance();
  spare = undefined;
  return ready;
}

/** Frees what runs that have ended have left. */
function collect(): void {
  globalThis.gc?.();
  const guests = unfreed;
  unfreed = [];
  unfreedBytes = 0;
  // V8 gives it back to the system on a thread beside, within a few milliseconds.
  if (guests.length > 0) send({ type: "freed", guests });
}

/** The same, where a run waits for it: it is asked for more than once, and a collection takes milliseconds. */
function collectUnfreed(): void {
  if (unfreed.length > 0) collect();
}

/** Forgets a run. Once what there is to do has been done, the next one shall find an instance. */
function forget(guest: number): void {
  const held = runs.get(guest);
  if (held === undefined) return;
  runs.delete(guest);
  held.run.drop();
  const { reusableMemory: memory, maxPages, memoryBytes } = held.instance;
  if (memory !== undefined) used = { memory, maxPages };
  else {
    unfreed.push(guest);
    unfreedBytes += memoryBytes;
  }
  ends += 1;
  setImmediate(() => {
    if (ends % endsPerCollection === 0 || unfreedBytes >= unfreedBytesPerCollection) collect();
    try {
      spare ??= createInstance();
    } catch {
      // No room for one now: the next program makes its own, or is told.
    }
  });
}

function start({ guest, control, limits }: Extract<ThreadCommand, { type: "start" }>): void {
  const instance = takeInstance(limits.memoryBytes);
  const run = new Run({
    control: new RunControl(control),
    limits,
    instance,
    post: (bytes) => send({ type: "data", guest, bytes }, [bytes.buffer]),
    onEnd(end, { cpuMs, peakMemoryBytes }) {
      send({ type: "end", guest, end, cpuMs, peakMemoryBytes });
      forget(guest);
    },
    askRoom(pages) {
      send({ type: "grow", guest, pages });
    },
    collect: collectUnfreed,
    onRest() {
      send({ type: "rests", guest });
    },
    onSpoilt() {
      send({ type: "spoilt" });
    },
  });
  runs.set(guest, { run, instance });
}

port.on("message", (command: ThreadCommand) => {
  switch (command.type) {
    case "start":
      start(command);
      return;
    case "data":
      runs.get(command.guest)?.run.receive(command.bytes);
      return;
    case "drop":
      forget(command.guest);
      return;
    case "collect":
      collectUnfreed();
  }
});

spare = new GuestInstance(snapshot, nextPages);
send({ type: "ready" });
