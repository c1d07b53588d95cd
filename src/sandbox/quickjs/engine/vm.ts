import type { QuickjsExports, QuickjsImports } from "./exports.ts";
import { type Extension, linkExtension } from "./extension.ts";
import { GuestMemory } from "./guest-memory.ts";
import { growthImport } from "./tailored-wasm.ts";

/** Bytes of a page of WASM memory. */
export const pageBytes = 64 * 1024;

// The WASM program is linked with 1 MiB of stack, which is enough for 3,000 calls of a program's functions.
// It gets more: what it may not use is left for native code, which does not look before it takes more.
// Beyond the end is the guest's own memory.
const stackBytes = 2.5 * 1024 * 1024;
const maxStackBytes = stackBytes - 256 * 1024;
const stackAlignment = 16;
const moduleFlag = 1;
const stripSource = 1 << 4;
const stripDebug = 1 << 5;
const errnoBadDescriptor = 8;
const errnoNotSupported = 52;

/** A place in the guest's memory that holds a value of the guest's; 0 where there is none. */
export type Pointer = number;

/** A function for the guest: takes numbers, text and promises, and gives numbers or values of its own. */
export type HostFunction = (args: HostArguments) => number | { value: Pointer } | undefined;

/** What a guest has called a function with. Anything but numbers and text reads as 0 and undefined. */
export interface HostArguments {
  number(index: number): number;
  /** UTF-8, in the guest's memory: valid until the guest goes on. */
  bytes(index: number): Uint8Array | undefined;
  /** A promise of the guest's; undefined for anything else. */
  promise(index: number): Pointer | undefined;
}

/** What an instance is connected to. */
export interface VmHost {
  readonly functions: Readonly<Record<string, HostFunction>>;
  /** Called every few thousand steps; whatever it throws ends the guest at once. */
  readonly onInterrupt: () => void;
  /** A promise was rejected that nobody watches, or is watched now. */
  readonly onRejection: (promise: Pointer, reason: Pointer, isHandled: boolean) => void;
  /** Whether the guest's memory may grow by so many pages; what it throws ends the guest at once. */
  readonly mayGrow: (pages: number) => boolean;
  readonly onGrown: () => void;
  /** Fills bytes that nobody can predict. */
  readonly fillRandom: (bytes: Uint8Array) => void;
  /** The name under which a module that the guest imports is looked for among those it has. */
  readonly moduleName: (specifier: string) => string;
  /** What a guest is told that imports a module which it has not. */
  readonly importError: string;
}

/** The programs that an instance consists of, compiled. */
export interface VmModules {
  readonly quickjs: WebAssembly.Module;
  readonly extensions: readonly Extension[];
}

/** One instance of QuickJS. It holds no memory but its own and no way out but its host's functions. */
export class Vm {
  readonly memory: WebAssembly.Memory;
  readonly exports: QuickjsExports;
  readonly #guest: GuestMemory;

  constructor(modules: VmModules, memory: WebAssembly.Memory, host: VmHost) {
    this.memory = memory;
    const imports = this.#imports(host);
    const { exports } = new WebAssembly.Instance(modules.quickjs, imports);
    this.exports = exports as unknown as QuickjsExports;
    this.#guest = new GuestMemory(memory, this.exports);
    for (const extension of modules.extensions) linkExtension(extension, { memory, exports });
  }

  /** Bytes of the guest's memory; it never shrinks. */
  get memoryBytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Bytes that the guest has allocated. */
  get allocatedBytes(): number {
    const fields = this.exports.malloc(26 * 8);
    this.exports.qjs_compute_memory_usage(fields);
    const bytes = Number(this.#guest.view.getBigInt64(fields, true));
    this.exports.wasm_free(fields);
    return bytes;
  }

  /** Gives the program another stack, before anything is on the one that it is linked with. */
  moveStack(): void {
    const end = this.exports.malloc(stackBytes) + stackBytes;
    this.exports.__stack_pointer.value = end - (end % stackAlignment);
  }

  /** Switches on what the host is asked for: after the start, and after a restore. */
  watch(): void {
    this.exports.qjs_set_interrupt_handler(1);
    this.exports.qjs_set_promise_rejection_handler(1);
    this.exports.qjs_set_module_loader(1);
    this.exports.qjs_set_max_stack_size(maxStackBytes);
  }

  /** Evaluates a script. Gives its value, or an exception: ask `isException`. */
  evaluate(code: string, name: string, flags: number): Pointer {
    const text = this.#guest.write(code);
    const file = this.#guest.write(`${name}\0`);
    const value = this.exports.qjs_eval(text.pointer, text.bytes, file.pointer, flags);
    this.exports.wasm_free(text.pointer);
    this.exports.wasm_free(file.pointer);
    return value;
  }

  /** Calls a function of the guest's. Its arguments stay the caller's to free. */
  call(callee: Pointer, args: readonly Pointer[]): Pointer {
    const { exports } = this;
    const list = exports.malloc(Math.max(1, args.length) * 4);
    for (const [index, each] of args.entries()) {
      this.#guest.view.setUint32(list + index * 4, each, true);
    }
    const nothing = exports.qjs_get_undefined();
    const value = exports.qjs_call(callee, nothing, args.length, list);
    exports.qjs_free_value(nothing);
    exports.wasm_free(list);
    return value;
  }

  text(text: string | Uint8Array): Pointer {
    const { pointer, bytes } = this.#guest.write(text);
    const value = this.exports.qjs_new_string(pointer, bytes);
    this.exports.wasm_free(pointer);
    return value;
  }

  number(value: number): Pointer {
    return this.exports.qjs_new_number(value);
  }

  free(value: Pointer): void {
    this.exports.qjs_free_value(value);
  }

  isException(value: Pointer): boolean {
    return this.exports.qjs_is_exception(value) !== 0;
  }

  /** Compiles a module to what `evaluateCompiled` takes, without its source text. */
  compileModule(code: string, name: string): Uint8Array {
    const text = this.#guest.write(code);
    const file = this.#guest.write(`${name}\0`);
    const lengthAt = this.exports.malloc(4);
    const strip = stripSource | stripDebug;
    const at = this.exports.qjs_compile(
      text.pointer,
      text.bytes,
      file.pointer,
      moduleFlag,
      strip,
      lengthAt,
    );
    if (at === 0) throw new Error(`${name} does not compile: ${this.exceptionText()}`);
    return this.#guest.bytes.slice(at, at + this.#guest.view.getUint32(lengthAt, true));
  }

  /** Evaluates what `compileModule` gave. */
  evaluateCompiled(code: Uint8Array): Pointer {
    const { pointer, bytes } = this.#guest.write(code);
    const value = this.exports.qjs_eval_bytecode(pointer, bytes);
    this.exports.wasm_free(pointer);
    return value;
  }

  /** Runs what waits to be run. */
  runJobs(): void {
    while (this.exports.qjs_is_job_pending() !== 0) {
      if (this.exports.qjs_execute_pending_job() < 0) throw new Error(this.exceptionText());
    }
  }

  /** The pending exception as text, for the prelude's own. */
  exceptionText(): string {
    return this.messageOf(this.exports.qjs_get_exception());
  }

  /** The message of an error that the engine has made, before any program could change what it is. */
  messageOf(error: Pointer): string {
    const name = this.#guest.write("message\0");
    const message = this.exports.qjs_get_prop_string(error, name.pointer);
    this.exports.wasm_free(name.pointer);
    const bytes = this.stringBytes(message);
    this.free(message);
    return Buffer.from(bytes ?? []).toString();
  }

  /** An object with a function of the guest's for each function of the host. */
  hostObject(functions: readonly string[]): Pointer {
    const { exports } = this;
    const object = exports.qjs_new_object();
    for (const each of functions) {
      const name = this.#guest.write(`${each}\0`);
      const value = exports.qjs_new_host_function(name.pointer, name.bytes - 1, 0);
      exports.qjs_set_prop_string(object, name.pointer, value);
      exports.qjs_free_value(value);
      exports.wasm_free(name.pointer);
    }
    return object;
  }

  /** Bytes of a string of the guest's; undefined for any other value. No code of the guest's runs. */
  stringBytes(value: Pointer): Uint8Array | undefined {
    return this.#guest.string(value);
  }

  #imports(host: VmHost): WebAssembly.Imports {
    const env: QuickjsImports & { memory: WebAssembly.Memory } = {
      memory: this.memory,
      host_interrupt: () => {
        host.onInterrupt();
        return 0;
      },
      host_call: (name, nameBytes, _self, count, args) => {
        const callee = host.functions[this.#guest.read(name, nameBytes)];
        const given = callee?.(this.#guest.arguments(args, count));
        if (given === undefined) return this.exports.qjs_get_undefined();
        return typeof given === "number" ? this.number(given) : given.value;
      },
      host_promise_rejection: (promise, reason, isHandled) =>
        host.onRejection(promise, reason, isHandled !== 0),
      host_module_normalize: (_base, name) =>
        this.#guest.write(`${host.moduleName(this.#guest.readToZero(name))}\0`).pointer,
      host_module_load: () => {
        const message = this.text(host.importError);
        const error = this.exports.qjs_new_error();
        const name = this.#guest.write("message\0");
        this.exports.qjs_set_prop_string(error, name.pointer, message);
        this.exports.wasm_free(name.pointer);
        this.exports.qjs_throw(error);
        for (const each of [error, message]) this.exports.qjs_free_value(each);
        return 0;
      },
      // Programs live in UTC.
      host_get_timezone_offset: () => 0,
    };
    return {
      env: env as unknown as WebAssembly.ModuleImports,
      wasi_snapshot_preview1: this.#wasi(host),
    };
  }

  /** Of the system: the time and random numbers. Nothing can be opened, read or written. */
  #wasi(host: VmHost): WebAssembly.ModuleImports {
    return {
      clock_time_get: (clock: number, _precision: bigint, result: Pointer) => {
        const ms = clock === 0 ? Date.now() : performance.now();
        this.#guest.view.setBigUint64(result, BigInt(Math.round(ms * 1e6)), true);
        return 0;
      },
      random_get: (start: Pointer, length: number) => {
        host.fillRandom(new Uint8Array(this.memory.buffer, start, length));
        return 0;
      },
      [growthImport]: (pages: number) => {
        if (!host.mayGrow(pages >>> 0)) return -1;
        try {
          const before = this.memory.grow(pages >>> 0);
          host.onGrown();
          return before;
        } catch {
          return -1; // beyond its most, or the machine's
        }
      },
      fd_write: () => errnoBadDescriptor,
      fd_fdstat_get: () => errnoBadDescriptor,
      fd_seek: () => errnoNotSupported,
    };
  }
}
