import { openSync, readFileSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { addDevices, hostDescriptor } from "./devices.ts";
import { removeGlobals } from "./harden.ts";
import { toImage } from "./image.ts";
import { bytesOf, type Interpreter, type KeptMemory, startInterpreter } from "./interpreter.ts";
import { MemoryLimit } from "./memory-limit.ts";
import { toRing } from "./ring.ts";

/** What the thread that holds the interpreter is started with. */
export interface WorkerOptions {
  readonly packageDirectory: string;
  readonly pythonVersion: string;
  readonly ring: SharedArrayBuffer;
  /** The kept memory to start from; otherwise one is made with the Python files of `sources`. */
  readonly memory: { readonly path: string; readonly offset: number } | undefined;
  readonly sources: readonly string[];
}

const options = workerData as WorkerOptions;
const port = parentPort;

/** Tells the main thread how this ended, and does nothing any more: the service kills the process. */
function end(detail: string): never {
  port?.postMessage(detail);
  const forever = new Int32Array(new SharedArrayBuffer(4));
  for (;;) Atomics.wait(forever, 0, 0);
}

async function start(memory: KeptMemory | undefined): Promise<Interpreter> {
  const { packageDirectory, pythonVersion } = options;
  let limit: MemoryLimit | undefined;
  // Until there is a limit, memory grows as it must: no program is there yet.
  const grow = (bytes: number) => limit?.grow(bytes) ?? interpreter?.module.growMemory(bytes) === 1;
  let interpreter: Interpreter | undefined;
  interpreter = await startInterpreter({
    packageDirectory,
    pythonVersion,
    memory,
    host: { grow, end },
  });
  const found = new MemoryLimit(interpreter.module);
  limit = found;
  addDevices(interpreter.module, {
    ring: toRing(options.ring),
    onMemoryLimit: (bytes) => found.set(bytes),
    onClosed: () => end("the service is gone"),
  });
  return interpreter;
}

/** Makes a memory: Python with its common modules and ours loaded. It goes to the service as bytes. */
async function makeMemory(): Promise<void> {
  const { module, run } = await start(undefined);
  module.FS.mkdirTree("/codemode");
  for (const path of options.sources) {
    module.FS.writeFile(`/codemode/${basename(path)}`, readFileSync(path));
  }
  if (!run("import sys; sys.path.insert(0, '/codemode'); import serve; serve.prepare()")) {
    end("Python could not be made ready");
  }
  for (const part of toImage(bytesOf(module))) writeAll(part);
  end("made");
}

function writeAll(bytes: Uint8Array): void {
  for (let sent = 0; sent < bytes.length; ) {
    sent += writeSync(hostDescriptor, bytes, sent, bytes.length - sent);
  }
}

/** Runs one program in a kept memory. */
async function runProgram({ path, offset }: NonNullable<WorkerOptions["memory"]>): Promise<void> {
  const { run } = await start({ descriptor: openSync(path, "r"), offset });
  removeGlobals();
  end(run("import serve; serve.main()") ? "status 0" : "an error of the runner");
}

await (options.memory === undefined ? makeMemory() : runProgram(options.memory));
