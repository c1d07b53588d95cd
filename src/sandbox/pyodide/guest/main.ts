import { read } from "node:fs";
import { Worker } from "node:worker_threads";
import { hostDescriptor } from "./devices.ts";
import { close, put, toRing } from "./ring.ts";
import type { WorkerOptions } from "./worker.ts";

// A process of one interpreter. The main thread never sees the program: it hands on what the service
// says, and tells by a line on its standard output how the interpreter's thread ended.

const chunkBytes = 64 * 1024;
// The C stack of Python (10 MiB of WebAssembly memory, which Python watches itself) takes up to some
// 40 MiB of the thread's own; with this much Python's RecursionError always comes first.
const stackSizeMb = 256;
const maxOldGenerationSizeMb = 128;

const ring = toRing();
const options = JSON.parse(process.argv[2] ?? "{}") as Omit<WorkerOptions, "ring">;
// Beside this file, under the ending that this file has: .ts, .mjs or .js.
const script = import.meta.url.replace(/main(\.\w+)$/, "worker$1");
const worker = new Worker(new URL(script), {
  workerData: { ...options, ring: ring.state.buffer },
  resourceLimits: { stackSizeMb, maxOldGenerationSizeMb },
  env: {},
});

function report(detail: string): void {
  process.stdout.write(`${detail}\n`);
}
worker.on("message", report);
worker.on("error", (error) => report(error.message));
worker.on("exit", (code) => report(`thread status ${code}`));

// Read by a thread that blocks: the descriptor must not become one that does not, the interpreter's
// thread writes to it.
function pump(): void {
  read(
    hostDescriptor,
    Buffer.allocUnsafe(chunkBytes),
    0,
    chunkBytes,
    null,
    async (error, count, bytes) => {
      if (error !== null || count === 0) {
        close(ring);
        process.exit(0); // the service is gone
      }
      await put(ring, bytes.subarray(0, count));
      pump();
    },
  );
}
pump();
