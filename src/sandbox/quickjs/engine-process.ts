import { createRequire } from "node:module";
import { dirname, extname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { serialize } from "node:v8";
import { z } from "zod";
import { onAbort, untilAborted } from "../../shared/abort.ts";
import { CodemodeError } from "../../shared/errors.ts";
import { sharedPlaces } from "../../shared/places.ts";
import type { Shares } from "../../shared/shares.ts";
import { programBehind } from "../process-use.ts";
import { standBackThread } from "../stand-back.ts";
import type { Wall, WalledProcess } from "../wall/wall.ts";
import type { BootMessage } from "./engine/main.ts";
import { QuickjsGuest } from "./guest.ts";
import { type Message, MessageReader, messageTypes, toJsonMessage, toMessage } from "./messages.ts";

// The ending says whether sources run, or what was built from them.
const ending = extname(import.meta.url);
const main = fileURLToPath(new URL(`./engine/main${ending}`, import.meta.url));
const own = dirname(dirname(main));
const shared = fileURLToPath(new URL("../../shared", import.meta.url));
const frameTypes = fileURLToPath(new URL(`../frame-types${ending}`, import.meta.url));
// The parser of JavaScript, for programs that are modules.
const acorn = dirname(dirname(createRequire(import.meta.url).resolve("acorn")));
// Text is never code in the engine's own realm, whoever would come to it.
const flags = [
  "--no-warnings",
  "--no-addons",
  "--disallow-code-generation-from-strings",
  // Threads clear up after their runs when they have nothing else to do.
  "--expose-gc",
  // Where threads come and go, V8 13.6 sometimes aborts as it frees what it compiled of WebAssembly
  // ("Check failed: jit_page.has_value()"). What is kept is little: each function once for each compiler.
  "--no-wasm-code-gc",
];
const maxMessageBytes = 1024 * 1024;
// Time may pass while this process itself stands still: that counts as one look, and not as silence.
const looks = 5;

/** Options of `startEngineProcess`. */
export interface EngineProcessOptions {
  readonly wall: Wall;
  readonly boot: BootMessage;
  /** Ends it when it aborts before it is ready. */
  readonly signal: AbortSignal;
  /** The longest that it may not answer, milliseconds. It is ended then, with all guests. */
  readonly silentMs: number;
  readonly onStderr: (line: string) => void;
}

/** What the engine says when it is ready. */
export interface EngineReady {
  /** Of Node. */
  readonly version: string;
  /** Time that starting took it, milliseconds. */
  readonly tookMs: number;
}

const readySchema = z.object({ version: z.string(), tookMs: z.number() });
const endSchema = z.object({
  cause: z.enum(["exited", "signalled", "cpu", "lost"]),
  detail: z.string().max(1024),
  cpuMs: z.number().min(0),
  peakMemoryBytes: z.number().min(0),
});

const standBackSchema = z.object({ thread: z.string().regex(/^guests-\d+$/) });

/** Starts an engine process inside a wall. Rejects when it does not become ready. */
export async function startEngineProcess(options: EngineProcessOptions): Promise<EngineProcess> {
  const engine = new EngineProcess(options);
  using _ = onAbort(options.signal, () => engine.destroy("was closed"));
  try {
    await engine.ready;
    return engine;
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

/** A running engine process. Its death takes all its guests with it. */
export class EngineProcess implements AsyncDisposable {
  /** Resolves when it is gone, with the reason. */
  readonly closed: Promise<string>;
  readonly ready: Promise<EngineReady>;
  readonly #process: WalledProcess;
  readonly #options: EngineProcessOptions;
  readonly #guests = new Map<number, QuickjsGuest>();
  readonly #places = new Map<number, () => void>();
  /** Of its threads, as if each guest had one: it holds no more of them than here. */
  readonly #shares: Shares;
  readonly #reader = new MessageReader(maxMessageBytes);
  readonly #ready = Promise.withResolvers<EngineReady>();
  #lastId = 0;
  #why: string | undefined;
  #isClosed = false;
  #silence: NodeJS.Timeout | undefined;
  #pulse: NodeJS.Timeout | undefined;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
    this.#shares = sharedPlaces(options.boot.maxThreads);
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // a process that ends is told by `closed`, too
    this.#process = options.wall.start({
      args: [...flags, main],
      readable: [own, shared, frameTypes, acorn],
    });
    const { channel, child } = this.#process;
    createInterface({ input: child.stderr }).on("line", options.onStderr);
    child.stdout.resume();
    channel.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.closed = this.#process.exited.then(({ code, signal }) => {
      const how = `its engine process ${this.#why ?? `ended with ${signal ?? `status ${code}`}`}`;
      this.#onClosed(how);
      return how;
    });
    channel.write(toMessage(messageTypes.boot, 0, serialize(options.boot)));
  }

  get hasEnded(): boolean {
    return this.#isClosed || this.#why !== undefined;
  }

  get pid(): number {
    return this.#process.child.pid ?? 0;
  }

  /**
   * A place for a guest, at once where a thread must be free, otherwise when the engine has found one.
   * Rejects with `signal.reason` when the signal aborts.
   */
  async lease(signal: AbortSignal, group: string): Promise<QuickjsGuest> {
    signal.throwIfAborted();
    if (this.hasEnded) throw new CodemodeError("unavailable", "quickjs: the engine has ended");
    const isCertain = this.#shares.mayTake(group);
    const guest = this.#open(group);
    if (isCertain) return guest;
    const place = Promise.withResolvers<void>();
    this.#places.set(guest.id, place.resolve);
    try {
      await untilAborted(Promise.race([place.promise, guest.exited]), signal);
    } catch (error) {
      guest[Symbol.dispose]();
      throw error;
    } finally {
      this.#places.delete(guest.id);
    }
    if (this.hasEnded) throw new CodemodeError("unavailable", "quickjs: the engine has ended");
    return guest;
  }

  /** Ends it and all its guests at once. */
  destroy(why: string): void {
    this.#why ??= why;
    this.#process.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy("was closed");
    await this.closed;
  }

  #open(group: string): QuickjsGuest {
    this.#lastId += 1;
    const guest = new QuickjsGuest(this.#lastId, group, {
      send: (message) => this.#send(message),
      kill: (id) => {
        this.#send(toMessage(messageTypes.kill, id));
        this.#ask();
      },
      distrust: (why) => this.destroy(why),
    });
    this.#guests.set(guest.id, guest);
    this.#shares.take(group);
    this.#send(toJsonMessage(messageTypes.lease, guest.id, { group }));
    this.#pulse ??= setInterval(() => this.#ask(), this.#options.silentMs);
    return guest;
  }

  #send(message: Buffer): void {
    const { channel } = this.#process;
    if (!this.hasEnded && channel.writable) channel.write(message);
  }

  /** Asks for a sign of life; one who gives none is ended. */
  #ask(): void {
    if (this.#silence !== undefined) return;
    const { silentMs } = this.#options;
    let left = looks;
    this.#silence = setInterval(() => {
      left -= 1;
      if (left === 0) this.destroy(`was silent for ${silentMs} ms`);
    }, silentMs / looks);
    this.#send(toMessage(messageTypes.ping, 0));
  }

  #receive(chunk: Buffer): void {
    if (this.hasEnded) return;
    try {
      for (const message of this.#reader.push(chunk)) this.#take(message);
    } catch (error) {
      this.destroy(`broke the protocol: ${error instanceof Error ? error.message : error}`);
    }
  }

  #take({ type, guest: id, payload }: Message): void {
    const json = () => JSON.parse(payload.toString("utf8"));
    switch (type) {
      case messageTypes.ready:
        this.#ready.resolve(readySchema.parse(json()));
        return;
      case messageTypes.leased:
        this.#places.get(id)?.();
        return;
      case messageTypes.data:
        this.#guests.get(id)?.receive(payload);
        return;
      case messageTypes.end:
        this.#onEnd(id, endSchema.parse(json()));
        return;
      case messageTypes.standBack:
        standBackThread(programBehind(this.pid), standBackSchema.parse(json()).thread);
        return;
      case messageTypes.pong:
        clearInterval(this.#silence);
        this.#silence = undefined;
        return;
      default:
        throw new Error(`a message of type ${type}`);
    }
  }

  #onEnd(id: number, exit: z.infer<typeof endSchema>): void {
    const guest = this.#guests.get(id);
    if (guest === undefined) return;
    this.#guests.delete(id);
    this.#shares.giveBack(guest.group);
    guest.end(exit);
    if (this.#guests.size > 0) return;
    clearInterval(this.#pulse);
    this.#pulse = undefined;
  }

  #onClosed(why: string): void {
    this.#isClosed = true;
    clearInterval(this.#silence);
    clearInterval(this.#pulse);
    this.#ready.reject(new Error(why));
    for (const guest of this.#guests.values()) guest.lose(why);
    this.#guests.clear();
  }
}
