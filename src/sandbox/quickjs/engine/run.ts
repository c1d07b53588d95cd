import { parseJson, stringifyJson } from "../../../shared/json.ts";
import type { JsonObject } from "../../../shared/model.ts";
import { type AuthorText, type Failure, toFailure, toReport } from "./failure.ts";
import { Growth, type GrowthOptions } from "./growth.ts";
import { readAnswer, readProgram } from "./guest-frames.ts";
import { type GuestClient, type GuestInstance, Unreported } from "./guest-instance.ts";
import { OutOfMemory } from "./guest-memory.ts";
import { Outbox } from "./outbox.ts";
import type { RunControl } from "./run-control.ts";
import { finished, killed, type RunEnd, RunStop } from "./run-end.ts";
import {
  javascriptSource,
  parsable,
  parserUse,
  type Source,
  SourceError,
  typescriptSource,
} from "./source.ts";

/** Bounds of a run, as the host gave them. */
export interface RunLimits {
  readonly seed: readonly [low: number, high: number];
  readonly memoryBytes: number;
  /** From its start to its end, milliseconds. */
  readonly wallMs: number;
  /** CPU time, milliseconds. */
  readonly activeMs: number;
  readonly outputBytes: number;
  readonly resultBytes: number;
  readonly toolPayloadBytes: number;
}

/** Options of a `Run`. */
export interface RunOptions extends GrowthOptions {
  readonly limits: RunLimits;
  readonly instance: GuestInstance;
  readonly post: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Called once, when the run has ended by itself or by its limits. */
  readonly onEnd: (end: RunEnd, use: { cpuMs: number; peakMemoryBytes: number }) => void;
  /** Called when it waits for something, where it takes turns with others. */
  readonly onRest: () => void;
  /** The parser of TypeScript has failed or grown, and is not to be used again in this thread. */
  readonly onSpoilt: () => void;
}

// What stands before and after a program that has a `return` at its top level, on its own lines.
const opening = "(async () => {";
// What tells the guest that nothing was returned, and what reads `result`, then: see guest/program.ts.
const closing = "\n;return()=>typeof result==='undefined'?void 0:result})()";
// A program whose value is there ends so long before its wall limit, whatever it has left open.
const lateMs = 250;
/** What the guest says when it rests, as in guest/program.ts. */
const rests = { waits: 0, busy: 1, hasValue: 2 } as const;
const checkMs = 2;
// More than that is given back with the thread.
const keptParserBytes = 64 * 1024 * 1024;
const longInteger = /\d{16}/;

/** CPU time of this thread, milliseconds. */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** One program in one instance: it executes when something reaches it, and waits in between. */
export class Run implements GuestClient {
  readonly #options: RunOptions;
  readonly #control: RunControl;
  readonly #instance: GuestInstance;
  readonly #outbox: Outbox;
  readonly #growth: Growth;
  #author: AuthorText = { code: "", language: "", source: undefined };
  #timer: NodeJS.Timeout | undefined;
  #lateTimer: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #checkedAt = 0;
  #hasEnded = false;

  constructor(options: RunOptions) {
    const { control, limits, instance, post } = options;
    this.#options = options;
    this.#control = control;
    this.#instance = instance;
    this.#outbox = new Outbox({ control, outputBytes: limits.outputBytes, post });
    this.#growth = new Growth(options);
    instance.connect(this, limits.memoryBytes);
    this.onGrown();
  }

  /** Takes a frame of the host's: the program first, answers then. */
  receive(frame: Uint8Array): void {
    this.#execute(() => {
      if (this.#author.language === "") this.#start(readProgram(frame));
      else this.#answer(frame);
    });
  }

  /** The run is over, whatever it waits for. */
  drop(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#lateTimer);
  }

  output(channel: number, data: Uint8Array): void {
    this.#outbox.write(channel, data);
  }

  call(seq: number, key: string, tool: string, argumentsJson: Uint8Array): number {
    if (argumentsJson.length > this.#options.limits.toolPayloadBytes) return argumentsJson.length;
    const [line, column, ...rest] = key.split(/[:/]/);
    const place = this.#author.source?.authorPlace(Number(line), Number(column)) ?? [0, 0];
    this.#outbox.call({ seq, key: `${place.join(":")}/${rest.join("/")}`, tool }, argumentsJson);
    return 0;
  }

  result(header: string, json: Uint8Array): number {
    if (json.length > this.#options.limits.resultBytes) return json.length;
    this.#outbox.result(toReport(header, this.#author), json);
    throw new RunStop(finished);
  }

  wakeAfter(ms: number): void {
    clearTimeout(this.#timer);
    if (ms >= 0) this.#timer = setTimeout(() => this.#wake(), ms);
  }

  wantRoom(): void {
    this.#instance.giveRoom();
  }

  awaitRoom(grownPages: number): void {
    this.#growth.awaitRoom(grownPages);
  }

  onGrown(): void {
    this.#control.memoryBytes = this.#instance.memoryBytes;
  }

  onTick(): void {
    this.#control.awaitTurn();
    if (this.#control.isKilled) throw new RunStop(killed);
    this.#control.beat();
    this.#growth.collect();
    const now = performance.now();
    if (now - this.#checkedAt < checkMs) return;
    this.#checkedAt = now;
    this.#outbox.flushLate(now);
    const { activeMs } = this.#options.limits;
    if (this.#control.usedMs(threadCpuMs()) < activeMs) return;
    throw new RunStop({ cause: "cpu", detail: `${activeMs} ms` });
  }

  #start(text: string): void {
    this.#startedAt = performance.now();
    const { code, language, unfenced, ...given } = parseJson(text) as JsonObject;
    this.#author = { code: String(code), language: String(language), source: undefined };
    // The host takes fences off, unless they hold no program.
    if (unfenced !== undefined) this.#failToParse(unfenced as { fault: string; line: number });
    const source = this.#source();
    this.#author = { ...this.#author, source };
    const { seed, toolPayloadBytes } = this.#options.limits;
    const numbers = [...seed].map((number) => ({ number }));
    const json = stringifyJson(given);
    const isLong = { number: longInteger.test(json) ? 1 : 0 };
    this.#instance.enter("begin", ...numbers, json, isLong, { number: toolPayloadBytes });
    this.#evaluate(source);
  }

  #source(): Source {
    const { code, language } = this.#author;
    if (language !== "typescript") return javascriptSource(code);
    try {
      const program = parsable(code);
      if (parserUse(program.code) > keptParserBytes) this.#options.onSpoilt();
      return typescriptSource(program);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      if (error.isFatal) this.#options.onSpoilt();
      this.#failToParse({ fault: error.message, line: error.line });
    }
  }

  #failToParse({ fault, line }: { readonly fault: string; readonly line: number }): never {
    const type = "SyntaxError";
    const place = line === 0 ? "" : `\n    at <program>:${line}`;
    const traceback = `${type}: ${fault}${place}`;
    this.#fail({ reason: "syntax", type, message: fault, traceback, line });
  }

  #evaluate({ code, call, note }: Source): void {
    const instance = this.#instance;
    let completion = instance.evaluate(call === "" ? code : `${code}\n;${call}`);
    const isFunction = completion === undefined;
    if (isFunction) {
      const lines = code.split("\n").length;
      instance.enter("place", { number: opening.length }, { number: lines });
      const end = call === "" ? closing : `\n;return ${call}${closing}`;
      completion = instance.evaluate(opening + code + end);
    }
    // It stands in a function already: a `return` can be nowhere else.
    if (completion === undefined) throw new Error("a program with a return that is nowhere");
    const tail = code.includes("=>") ? code : "";
    const { resultBytes } = this.#options.limits;
    const form = (isFunction ? 1 : 0) + (call === "" ? 0 : 2);
    instance.enter("run", completion, tail, { number: form }, { number: resultBytes }, note);
  }

  #answer(frame: Uint8Array): void {
    const { call, error, json } = readAnswer(frame);
    const number = { number: call };
    if (error !== undefined) {
      this.#instance.enter("fail", number, error.message, error.kind);
      return;
    }
    const isLong = longInteger.test(Buffer.from(json).toString("latin1"));
    this.#instance.enter("answer", number, json, { number: isLong ? 1 : 0 });
  }

  #wake(): void {
    this.#execute(() => {
      // What a timer has started runs before the next one fires, as in Node.
      while (this.#instance.enter("wake") === 1) this.#instance.runJobs();
    });
  }

  /** Nothing is left to do at once: the program ends, or waits for a timer or a call. */
  #rest(): void {
    let state = this.#instance.enter("rest");
    while (state === rests.busy) {
      this.#instance.runJobs();
      state = this.#instance.enter("rest");
    }
    if (state !== rests.hasValue || this.#lateTimer !== undefined) return;
    const { wallMs } = this.#options.limits;
    const leftMs = Math.max(wallMs - lateMs, wallMs / 2) - (performance.now() - this.#startedAt);
    const late = () => this.#execute(() => void this.#instance.enter("late"));
    this.#lateTimer = setTimeout(late, Math.max(0, leftMs));
  }

  #fail(failure: Failure): never {
    this.#outbox.result(toFailure(failure, this.#author));
    throw new RunStop(finished);
  }

  /** Executes a step and all that follows from it at once. */
  #execute(step: () => void): void {
    if (this.#hasEnded || !this.#control.enter(threadCpuMs())) return;
    let end: RunEnd | undefined;
    this.#control.awaitTurn();
    try {
      step();
      this.#instance.runJobs();
      this.#rest();
      this.#outbox.flush();
    } catch (error) {
      end = error instanceof RunStop ? error.end : this.#endOf(error);
    }
    const cpuMs = this.#control.usedMs(threadCpuMs());
    if (end === undefined && this.#control.isKilled) end = killed;
    if (end === undefined) {
      if (this.#control.leave(threadCpuMs())) {
        if (this.#control.takesTurns) this.#options.onRest();
        return;
      }
      end = killed; // by whoever gave up waiting for this thread
    }
    this.drop();
    const isOwn = this.#control.endExecuting();
    if (isOwn) this.#options.onEnd(end, { cpuMs, peakMemoryBytes: this.#instance.memoryBytes });
  }

  /** The end of an instance that could not go on; it has said nothing of it. */
  #endOf(error: unknown): RunEnd {
    try {
      const failure = this.#failureOf(error);
      if (failure === undefined) return { cause: "exited", detail: String(error) };
      this.#fail({ ...failure, traceback: `${failure.type}: ${failure.message}`, line: 0 });
    } catch (stop) {
      return stop instanceof RunStop ? stop.end : { cause: "exited", detail: String(stop) };
    }
  }

  #failureOf(error: unknown): Pick<Failure, "reason" | "type" | "message"> | undefined {
    const isFull = this.#instance.isFull || (error instanceof Unreported && error.isOutOfMemory);
    if (error instanceof OutOfMemory || isFull) {
      const { message } = error instanceof OutOfMemory ? error : new OutOfMemory();
      return { reason: "memory", type: "InternalError", message };
    }
    if (error instanceof Unreported) {
      return { reason: "exception", type: "Error", message: error.message };
    }
    if (!(error instanceof RangeError)) return undefined;
    return { reason: "exception", type: "RangeError", message: error.message };
  }
}
