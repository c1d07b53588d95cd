import { callerFrames, innermost, standAt, ToolError } from "./errors.ts";
import { fromJson } from "./from-json.ts";
import { host } from "./host.ts";
import { argumentsToJson, NotJson } from "./json.ts";
import {
  append,
  apply,
  isInstance,
  isListed,
  mapDelete,
  mapForEach,
  mapGet,
  mapSet,
  NewMap,
  NewPromise,
  NewProxy,
  numberText,
  promiseThen,
  slice,
  startsWith,
} from "./primordials.ts";

interface OpenCall {
  readonly tool: string;
  /** Where it was called: an answer comes when nothing of that is left. */
  readonly frames: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const open = new NewMap<number, OpenCall>();
/** How often the same tool was called from the same place with the same arguments. */
const repeats = new NewMap<string, number>();
/** Calls that wait for their turn, by number; the first is at `firstWaiting`. */
const waiting = new NewMap<number, () => void>();
let firstWaiting = 0;
let lastWaiting = 0;
let openCount = 0;
let sequence = 0;
let maxBytes = 0;
let maxOpen = 0;

/** Says how long the JSON text of a call's arguments may be, bytes, and how many calls may be open. */
export function limitCalls(argumentsBytes: number, open: number): void {
  maxBytes = argumentsBytes;
  maxOpen = open;
}

/** Sends a call when it is its turn. Gives the promise of its value; it rejects with a ToolError. */
export function startCall(tool: string, args: unknown): Promise<unknown> {
  const frames = callerFrames();
  const promise = new NewPromise<unknown>((resolve, reject) => {
    const fail = (message: string, kind: string) => {
      const error = new ToolError(message, tool, kind);
      standAt(error, frames);
      reject(error);
    };
    let json: string;
    try {
      json = argumentsToJson(args);
    } catch (error) {
      if (!isInstance(error, NotJson)) return reject(error); // a getter of the program's
      return fail(`${tool}: arguments: ${(error as Error).message}`, "invalid_arguments");
    }
    if (!startsWith(json, "{")) {
      return fail(`${tool}: arguments: expected one object of arguments`, "invalid_arguments");
    }
    const key = keyOf(tool, json, frames);
    const send = () => {
      const next = sequence + 1;
      const tooLarge = host.t(next, key, tool, json);
      if (tooLarge !== 0) {
        const message = `${tool}: the arguments are ${tooLarge} bytes of JSON, at most ${maxBytes} are taken`;
        return fail(message, "invalid_arguments");
      }
      sequence = next;
      openCount += 1;
      mapSet(open, next, { tool, frames, resolve, reject });
    };
    if (mayOpen()) send();
    else mapSet(waiting, lastWaiting++, send);
  });
  return forgettable(promise, tool);
}

const { iterator, toPrimitive } = Symbol;
const promiseNames = ["then", "catch", "finally", "constructor"];

/** A promise of a tool's value that says so where it is used as the value itself: `await` was forgotten. */
function forgettable(promise: Promise<unknown>, tool: string): Promise<unknown> {
  const misused = () => {
    const message = `this is a call of the tool ${tool}, not its value: add await`;
    throw new ToolError(message, tool, "invalid_arguments");
  };
  return new NewProxy(promise, {
    __proto__: null,
    get(target: Promise<unknown>, name: string | symbol) {
      if (name === toPrimitive || name === iterator) return misused;
      const value = (target as unknown as Record<string | symbol, unknown>)[name];
      if (typeof name === "symbol" || name === "constructor") return value;
      if (!isListed(promiseNames, name)) return misused();
      // As `await` of a promise itself, whatever a program has made of the method.
      if (name === "then")
        return (done: unknown, failed: unknown) => promiseThen(target, done, failed);
      return (...args: unknown[]) => apply(value as () => unknown, target, args);
    },
    set: misused,
    has: (target: Promise<unknown>, name: string | symbol) =>
      typeof name === "symbol" ? name in target : misused(),
  } as unknown as ProxyHandler<Promise<unknown>>);
}

/** Whether a call may be sent. Where none may be open, the host says so to the first. */
function mayOpen(): boolean {
  return openCount < maxOpen || openCount === 0;
}

/** Sends the calls whose turn it is. */
function sendWaiting(): void {
  while (mayOpen() && firstWaiting < lastWaiting) {
    const send = mapGet(waiting, firstWaiting) as () => void;
    mapDelete(waiting, firstWaiting++);
    send();
  }
}

/**
 * The call's place in the program: line and column, a hash of tool and arguments, and how many calls
 * have been alike. What runs at the same time so keeps its keys whatever is answered first; calls that
 * are alike in all of this may change places.
 */
function keyOf(tool: string, json: string, frames: string): string {
  const { line, column } = innermost(frames);
  const digest = slice(numberText(host.h(`${tool}\n${json}`) + 2 ** 48, 16), 1);
  const place = `${line}:${column}/${digest}`;
  const count = (mapGet(repeats, place) as number | undefined) ?? 0;
  mapSet(repeats, place, count + 1);
  return `${place}/${count}`;
}

/** Tools whose calls are open, oldest first. */
export function openCallNames(): string[] {
  const names: string[] = [];
  mapForEach(open, (call) => append(names, (call as OpenCall).tool));
  return names;
}

/** Hands the answer to a call to who waits for it. */
export function settleCall(sequence: number, json: string, isLong: boolean): void {
  const call = take(sequence);
  call?.resolve(fromJson(json, isLong));
}

/** Tells who waits for a call that it has failed. */
export function failCall(sequence: number, message: string, kind: string): void {
  const call = take(sequence);
  if (call === undefined) return;
  const error = new ToolError(message, call.tool, kind);
  standAt(error, call.frames);
  call.reject(error);
}

function take(sequence: number): OpenCall | undefined {
  const call = mapGet(open, sequence) as OpenCall | undefined;
  if (call === undefined) return undefined;
  mapDelete(open, sequence);
  openCount -= 1;
  sendWaiting();
  return call;
}
