import type { QuickjsExports } from "./exports.ts";
import type { HostArguments, Pointer } from "./vm.ts";

/** A text in the guest's memory, for the writer to free. */
export interface Written {
  readonly pointer: Pointer;
  readonly bytes: number;
}

const encoder = new TextEncoder();

/** Reads and writes the memory of an instance. A place outside of it is a RangeError, never a read. */
export class GuestMemory {
  readonly #memory: WebAssembly.Memory;
  readonly #exports: QuickjsExports;
  #bytes: Uint8Array;
  #view: DataView;

  constructor(memory: WebAssembly.Memory, exports: QuickjsExports) {
    this.#memory = memory;
    this.#exports = exports;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
  }

  /** The whole memory as it is now; growing it makes another necessary. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.#memory.buffer)
      this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  get view(): DataView {
    if (this.#view.buffer !== this.#memory.buffer) this.#view = new DataView(this.#memory.buffer);
    return this.#view;
  }

  /** Throws an OutOfMemory when there is no room. */
  write(text: string | Uint8Array): Written {
    const data = typeof text === "string" ? encoder.encode(text) : text;
    // Strings of the engine are followed by a zero byte.
    const pointer = this.#exports.malloc(data.length + 1);
    if (pointer === 0) throw new OutOfMemory();
    this.bytes.set(data, pointer);
    this.bytes[pointer + data.length] = 0;
    return { pointer, bytes: data.length };
  }

  /** ASCII of a known length. */
  read(start: Pointer, length: number): string {
    if (length === 1) return String.fromCharCode(this.bytes[start] ?? 0);
    return Buffer.from(this.bytes.subarray(start, start + length)).toString("latin1");
  }

  /** A text that ends with a zero byte. */
  readToZero(start: Pointer): string {
    const end = this.bytes.indexOf(0, start);
    return Buffer.from(this.bytes.subarray(start, Math.max(start, end))).toString();
  }

  /** Bytes of a string, a copy; undefined for any other value. */
  string(value: Pointer): Uint8Array | undefined {
    if (value === 0 || this.#exports.qjs_is_string(value) === 0) return undefined;
    const lengthAt = this.#exports.malloc(4);
    if (lengthAt === 0) throw new OutOfMemory();
    const start = this.#exports.qjs_get_string_len(value, lengthAt);
    const length = this.view.getUint32(lengthAt, true);
    this.#exports.wasm_free(lengthAt);
    if (start === 0) throw new OutOfMemory();
    const bytes = this.bytes.slice(start, start + length);
    this.#exports.qjs_free_cstring(start);
    return bytes;
  }

  arguments(list: Pointer, count: number): HostArguments {
    const pointer = (index: number) =>
      index < count ? this.view.getUint32(list + index * 4, true) : 0;
    return {
      number: (index) => {
        const value = pointer(index);
        if (value === 0 || this.#exports.qjs_is_number(value) === 0) return 0;
        return this.#exports.qjs_get_float64(value);
      },
      bytes: (index) => this.string(pointer(index)),
      promise: (index) => {
        const value = pointer(index);
        return value !== 0 && this.#exports.qjs_is_promise(value) !== 0 ? value : undefined;
      },
    };
  }
}

/** There is no room for what is to be in the guest's memory. */
export class OutOfMemory extends Error {
  constructor(message = "out of memory") {
    super(message);
    this.name = "OutOfMemory";
  }
}
