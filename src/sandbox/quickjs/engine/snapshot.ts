import { exportNames } from "./exports.ts";
import { type Extension, linkExtension, needsOfExtension, sizeOfExtension } from "./extension.ts";
import { evaluatePrelude, type GuestModule, preludeName } from "./prelude.ts";
import { tailorWasm } from "./tailored-wasm.ts";
import { type Pointer, pageBytes, Vm, type VmHost, type VmModules } from "./vm.ts";

/** What an instance of QuickJS is made of. */
export interface EngineFiles {
  readonly quickjs: Uint8Array;
  readonly extensions: readonly { readonly name: string; readonly wasm: Uint8Array }[];
  /** Source texts that run in the guest before any program does; the last imports all others. */
  readonly prelude: readonly GuestModule[];
}

/** A piece of memory that is not zero. */
interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A started instance, from which others are made. Threads may share it. */
export interface Snapshot {
  readonly modules: VmModules;
  readonly pages: number;
  readonly pieces: readonly Piece[];
  readonly stackPointer: number;
  readonly runtime: Pointer;
  readonly context: Pointer;
  /** The prelude's function that takes everything that reaches the guest. */
  readonly enter: Pointer;
  /** Bytes that each instance writes to begin with. */
  readonly writtenBytes: number;
  /** Bytes that the fresh guest has allocated. */
  readonly allocatedBytes: number;
}

// What is zero need not be written, and a page that nobody writes takes no memory.
const pieceBytes = 4096;
// Most of what is looked at is zero: larger steps cost less.
const zeros = Buffer.alloc(4 * pieceBytes);

/** Starts an instance, runs the prelude in it, and takes its picture. Throws when that fails. */
export function takeSnapshot(files: EngineFiles, host: VmHost): Snapshot {
  const libraries = files.extensions.map(({ name, wasm }) => ({
    name,
    module: new WebAssembly.Module(wasm.slice()),
  }));
  const needs = libraries.flatMap(({ module }) => needsOfExtension(module));
  const names = new Set<string>([...exportNames, "__indirect_function_table", ...needs]);
  const { wasm, pages } = tailorWasm(files.quickjs, names);
  const quickjs = new WebAssembly.Module(wasm);
  const start = () => {
    const memory = new WebAssembly.Memory({ initial: pages });
    const started = new Vm({ quickjs, extensions: [] }, memory, {
      ...host,
      moduleName: preludeName,
    });
    started.exports._initialize();
    started.moveStack();
    if (started.exports.qjs_init() !== 0) throw new Error("QuickJS could not be started");
    started.watch();
    return started;
  };
  const vm = start();
  const { exports, memory } = vm;
  const extensions = libraries.map(({ name, module }) => addExtension(vm, name, module));
  const enter = evaluatePrelude(vm, start(), files.prelude, Object.keys(host.functions));
  exports.qjs_run_gc();
  const { allocatedBytes } = vm;
  const pieces = piecesOf(new Uint8Array(memory.buffer));
  const snapshot = {
    modules: { quickjs, extensions },
    pages: vm.memoryBytes / pageBytes,
    pieces,
    writtenBytes: pieces.reduce((sum, { bytes }) => sum + bytes.length, 0),
    stackPointer: Number(exports.__stack_pointer.value),
    runtime: exports.qjs_get_runtime_ptr(),
    context: exports.qjs_get_context_ptr(),
    enter,
    allocatedBytes,
  };
  const again = memoryFor(snapshot, snapshot.pages);
  new Uint8Array(again.buffer).fill(0xff);
  restore(snapshot, again, { host, isUsed: true });
  if (Buffer.compare(Buffer.from(again.buffer), Buffer.from(memory.buffer)) !== 0) {
    throw new Error("an instance that was made from the snapshot is not like it");
  }
  return snapshot;
}

/** Memory for an instance, whose size may grow to `maxPages`. */
export function memoryFor(snapshot: Snapshot, maxPages: number): WebAssembly.Memory {
  const { pages } = snapshot;
  return new WebAssembly.Memory({ initial: pages, maximum: Math.max(pages, maxPages) });
}

/** Whether another instance may be made in memory that one has used: it has not grown. */
export function isReusable(snapshot: Snapshot, memory: WebAssembly.Memory): boolean {
  return memory.buffer.byteLength === snapshot.pages * pageBytes;
}

/**
 * A fresh instance as the snapshot shows it, in new memory or in some that another instance has used
 * and will not use again: every byte that is not as in the snapshot is written.
 */
export function restore(
  snapshot: Snapshot,
  memory: WebAssembly.Memory,
  { host, isUsed }: { host: VmHost; isUsed: boolean },
): Vm {
  const { modules, pieces, stackPointer, runtime, context } = snapshot;
  const vm = new Vm(modules, memory, host);
  const bytes = new Uint8Array(memory.buffer);
  // What linking has written is part of the picture.
  let at = 0;
  for (const piece of pieces) {
    if (isUsed) clear(bytes.subarray(at, piece.offset));
    bytes.set(piece.bytes, piece.offset);
    at = piece.offset + piece.bytes.length;
  }
  if (isUsed) clear(bytes.subarray(at));
  vm.exports.__stack_pointer.value = stackPointer;
  vm.exports.qjs_set_runtime_and_context(runtime, context);
  vm.watch();
  return vm;
}

/** Writes zeros where there are none yet: a page that nobody has written to takes no memory. */
function clear(bytes: Uint8Array, stepBytes = zeros.length): void {
  for (let start = 0; start < bytes.length; start += stepBytes) {
    const step = bytes.subarray(start, start + stepBytes);
    if (isZero(step)) continue;
    if (stepBytes === pieceBytes) step.fill(0);
    else clear(step, pieceBytes);
  }
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0;
}

function addExtension(vm: Vm, name: string, module: WebAssembly.Module): Extension {
  const { exports, memory } = vm;
  const { memoryBytes } = sizeOfExtension(module);
  const memoryBase = memoryBytes === 0 ? 0 : exports.malloc(memoryBytes);
  new Uint8Array(memory.buffer, memoryBase, memoryBytes).fill(0);
  const target = { memory, exports: exports as unknown as WebAssembly.Exports };
  const table = target.exports.__indirect_function_table as WebAssembly.Table;
  const extension = { name, module, memoryBase, tableBase: table.length };
  const initialize = linkExtension(extension, target)[`qjs_ext_${name.replace(/-/g, "_")}_init`];
  if (typeof initialize !== "function") throw new Error(`the library ${name} has no start`);
  const context = exports.qjs_get_context_ptr();
  if (initialize(context, exports.qjs_get_runtime_ptr()) !== 0) {
    throw new Error(`the library ${name} could not be started`);
  }
  return extension;
}

/** The pieces of a memory that are not zero, neighbours as one, in memory that threads share. */
function piecesOf(bytes: Uint8Array): Piece[] {
  const isEmpty = (start: number) => isZero(bytes.subarray(start, start + pieceBytes));
  const pieces: Piece[] = [];
  let start = -1;
  for (let at = 0; at <= bytes.length; at += pieceBytes) {
    const isEnd = at === bytes.length || isEmpty(at);
    if (!isEnd && start < 0) start = at;
    if (!isEnd || start < 0) continue;
    const shared = new Uint8Array(new SharedArrayBuffer(at - start));
    shared.set(bytes.subarray(start, at));
    pieces.push({ offset: start, bytes: shared });
    start = -1;
  }
  return pieces;
}
