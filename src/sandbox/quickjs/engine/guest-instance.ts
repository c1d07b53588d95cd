import { createHash, randomFillSync } from "node:crypto";
import { importError } from "./hints.ts";
import { Formatters } from "./intl.ts";
import { isReusable, memoryFor, restore, type Snapshot } from "./snapshot.ts";
import { type HostArguments, type Pointer, pageBytes, type Vm, type VmHost } from "./vm.ts";

/** What a guest asks for while it runs. What any of them throws ends the guest at once. */
export interface GuestClient {
  output(channel: number, data: Uint8Array): void;
  /** Gives 0, or the size of the arguments when they are too large to be sent. */
  call(sequence: number, key: string, tool: string, argumentsJson: Uint8Array): number;
  /** Gives the size of the value when it is too large to be sent. */
  result(header: string, json: Uint8Array): number;
  /** Wakes the guest after so many milliseconds; a negative number takes it back. */
  wakeAfter(ms: number): void;
  /** The guest wants room to report that it has none left. */
  wantRoom(): void;
  /** Blocks until there is room for a memory that has grown by so many pages in all. */
  awaitRoom(grownPages: number): void;
  /** The guest's memory has grown. */
  onGrown(): void;
  /** Called again and again while the guest runs. */
  onTick(): void;
}

const asyncFlag = 1 << 7;
// Text that the host hands over is copied in before the guest's own limit is asked.
const roomForHostBytes = 32 * 1024 * 1024;
const maxPages = 65_536;
// The engine counts in 32 bits.
const maxLimitBytes = 0xf000_0000;
const reserveBytes = 4 * 1024 * 1024;
// What is rejected and watched later, within one turn; whoever has more at once is not told of the rest.
const maxRejections = 1024;
const empty = new Uint8Array();

/** The most pages that an instance may have for a program that may use so many bytes. */
export function maxPagesFor(snapshot: Snapshot, memoryBytes: number): number {
  const wanted = snapshot.pages + Math.ceil((memoryBytes + roomForHostBytes) / pageBytes);
  return Math.min(wanted, maxPages);
}

/** A fresh instance of QuickJS with the prelude in it, for one run. */
export class GuestInstance {
  readonly maxPages: number;
  readonly #snapshot: Snapshot;
  readonly #vm: Vm;
  readonly #rejections = new Map<number, Pointer>();
  #client: GuestClient | undefined;
  #limitBytes = 0;
  #digest = Buffer.alloc(0);
  readonly #formatters = new Formatters();

  /** `used` is the memory of an instance for as many pages that is not used again. */
  constructor(snapshot: Snapshot, maxPages: number, used?: WebAssembly.Memory) {
    this.#snapshot = snapshot;
    this.maxPages = maxPages;
    const memory = used ?? memoryFor(snapshot, maxPages);
    this.#vm = restore(snapshot, memory, { host: this.#host(), isUsed: used !== undefined });
  }

  /** Its memory, for another instance to use once this one does not; undefined where it has grown. */
  get reusableMemory(): WebAssembly.Memory | undefined {
    return isReusable(this.#snapshot, this.#vm.memory) ? this.#vm.memory : undefined;
  }

  get memoryBytes(): number {
    return this.#vm.memoryBytes;
  }

  /** Whether its memory can hardly grow any more. */
  get isFull(): boolean {
    return this.memoryBytes >= this.maxPages * pageBytes * 0.95;
  }

  /** Gives the instance to a run. */
  connect(client: GuestClient, memoryBytes: number): void {
    this.#client = client;
    this.#limitBytes = Math.min(this.#snapshot.allocatedBytes + memoryBytes, maxLimitBytes);
    this.#vm.exports.qjs_set_memory_limit(this.#limitBytes);
  }

  /** Lets the guest allocate a little beyond its limit. */
  giveRoom(): void {
    this.#vm.exports.qjs_set_memory_limit(this.#limitBytes + reserveBytes);
  }

  /** Calls an entry of the prelude (guest/main.ts); gives what it gives as a number. */
  enter(entry: string, ...args: readonly (Pointer | { number: number } | string | Uint8Array)[]) {
    const vm = this.#vm;
    const given = args.map((each) => {
      if (typeof each === "number") return each;
      if (typeof each === "object" && "number" in each) return vm.number(each.number);
      return vm.text(each);
    });
    const value = vm.call(this.#snapshot.enter, [vm.text(entry), ...given]);
    if (vm.isException(value)) this.#fail(vm.exports.qjs_get_exception(), false);
    const number = vm.exports.qjs_is_number(value) === 0 ? 0 : vm.exports.qjs_get_float64(value);
    vm.free(value);
    return number;
  }

  /**
   * Begins to run a program. Gives the promise of its end, or undefined for one with a `return` at its
   * top level, of which nothing has run. One that does not parse ends the guest.
   */
  evaluate(code: string): Pointer | undefined {
    const vm = this.#vm;
    const completion = vm.evaluate(code, "<program>", asyncFlag);
    if (!vm.isException(completion)) return completion;
    const error = vm.exports.qjs_get_exception();
    if (vm.messageOf(error) === "return not in a function") return undefined;
    this.#fail(error, true);
    return undefined;
  }

  /** Runs all that waits to be run. What nobody has caught by then ends the guest. */
  runJobs(): void {
    const { exports } = this.#vm;
    while (exports.qjs_is_job_pending() !== 0) {
      if (exports.qjs_execute_pending_job() < 0) this.#fail(exports.qjs_get_exception(), false);
      this.#theClient().onTick();
    }
    for (const reason of this.#rejections.values()) this.#fail(reason, false);
  }

  /** Has the guest report an error that ends it. */
  #fail(error: Pointer, isSyntax: boolean): void {
    this.giveRoom();
    const vm = this.#vm;
    const args = [vm.text("error"), error, vm.number(isSyntax ? 1 : 0)];
    vm.call(this.#snapshot.enter, args);
    throw new Unreported(vm.allocatedBytes >= this.#limitBytes * 0.95);
  }

  #theClient(): GuestClient {
    if (this.#client === undefined) throw new Error("the instance belongs to no run");
    return this.#client;
  }

  #host(): VmHost {
    const client = () => this.#theClient();
    const text = (args: HostArguments, index: number) =>
      Buffer.from(args.bytes(index) ?? empty).toString("utf8");
    return {
      functions: {
        o: (args) => client().output(args.number(0), args.bytes(1) ?? empty) ?? 0,
        t: (args) =>
          client().call(args.number(0), text(args, 1), text(args, 2), args.bytes(3) ?? empty),
        r: (args) => client().result(text(args, 0), args.bytes(1) ?? empty),
        w: (args) => client().wakeAfter(args.number(0)) ?? 0,
        m: () => client().wantRoom() ?? 0,
        h: (args) => {
          const hash = createHash("sha256").update(args.bytes(0) ?? empty);
          return hash.digest().readUIntBE(0, 6);
        },
        n: () => randomFillSync(new Uint32Array(1))[0],
        p: (args) => {
          const promise = args.promise(0);
          return promise === undefined ? 0 : this.#vm.exports.qjs_promise_state(promise);
        },
        q: (args) => {
          const promise = args.promise(0);
          if (promise === undefined) return undefined;
          return { value: this.#vm.exports.qjs_promise_result(promise) };
        },
        i: (args) => ({ value: this.#vm.text(this.#formatters.ask(text(args, 0))) }),
        c: (args) => this.#formatters.compare(text(args, 0), text(args, 1)),
        d: (args) => this.#digestWord(text(args, 0), args.bytes(1) ?? empty, args.number(2)),
      },
      onInterrupt: () => client().onTick(),
      onRejection: (promise, reason, isHandled) => this.#onRejection(promise, reason, isHandled),
      mayGrow: (pages) => {
        const all = this.memoryBytes / pageBytes + pages;
        if (all > this.maxPages) return false;
        client().awaitRoom(all - this.#snapshot.pages);
        return true;
      },
      onGrown: () => client().onGrown(),
      fillRandom: (bytes) => void randomFillSync(bytes),
      moduleName: () => "a module",
      importError,
    };
  }

  /** Makes a digest where there are bytes, as hexadecimal text; gives its length, or one of its words. */
  #digestWord(algorithm: string, hex: Uint8Array, index: number): number {
    if (index >= 0) return this.#digest.readUInt32BE(4 * index);
    const name = /^sha(?:1|256|384|512)$/.test(algorithm) ? algorithm : "sha256";
    const bytes = Buffer.from(Buffer.from(hex).toString("latin1"), "hex");
    this.#digest = createHash(name).update(bytes).digest();
    return this.#digest.length / 4;
  }

  #onRejection(promise: Pointer, reason: Pointer, isHandled: boolean): void {
    const { exports } = this.#vm;
    const identity = exports.qjs_get_value_ptr(promise);
    const known = this.#rejections.get(identity);
    if (known !== undefined) {
      exports.qjs_free_value(known);
      this.#rejections.delete(identity);
    }
    exports.qjs_free_value(promise);
    if (isHandled || this.#rejections.size >= maxRejections) exports.qjs_free_value(reason);
    else this.#rejections.set(identity, reason);
  }
}

/** The guest could not even say what was wrong with it. */
export class Unreported extends Error {
  readonly isOutOfMemory: boolean;

  constructor(isOutOfMemory: boolean) {
    super("the program's error could not be shown");
    this.name = "Unreported";
    this.isOutOfMemory = isOutOfMemory;
  }
}
