import type {
  Executor,
  GuestEvent,
  GuestRun,
  GuestToolResult,
  Program,
} from "../../src/executors/executor.ts";
import type { Channel, EngineInfo, ProgramResult } from "../../src/shared/model.ts";
import { AsyncQueue } from "../../src/shared/queue.ts";
import { stopped } from "../../src/shared/stop.ts";

/** What a script can do. */
export interface ScriptedGuest {
  readonly program: Program;
  /** Aborts when the guest is killed. */
  readonly signal: AbortSignal;
  /** Resolves when the reader has room again. */
  print(text: string, channel?: Channel): Promise<void>;
  call(tool: string, argumentsJson: string): Promise<GuestToolResult>;
}

/** A program in TypeScript: what it returns is its value, what it throws its failure. */
export type Script = (guest: ScriptedGuest) => Promise<unknown> | unknown;

/** An executor whose programs are scripts of the test, chosen by the program's `code`. */
export interface ScriptedExecutor extends Executor {
  /** Codes of the programs that were started, in order. */
  readonly started: readonly string[];
  /** Guests alive now. */
  readonly alive: number;
  /** Resolves with the program when the next one of this code starts. */
  untilStarted(code: string): Promise<Program>;
  /** Resolves with the reason of the abort when the next guest of this code is killed. */
  untilKilled(code: string): Promise<unknown>;
}

/** A script that runs until it is killed. */
export const forever: Script = ({ signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** Makes a scripted executor of language "python". */
export function createScriptedExecutor(
  scripts: Readonly<Record<string, Script>>,
  info: Partial<EngineInfo> = {},
): ScriptedExecutor {
  const started: string[] = [];
  const alive = new Set<AbortController>();
  const waiters: { type: string; code: string; resolve: (value: never) => void }[] = [];
  const until = <T>(type: string, code: string) =>
    new Promise<T>((resolve) => waiters.push({ type, code, resolve }));
  const notify = (type: string, code: string, value: unknown) => {
    for (const waiter of waiters.filter((each) => each.type === type && each.code === code)) {
      waiters.splice(waiters.indexOf(waiter), 1);
      waiter.resolve(value as never);
    }
  };

  return {
    started,
    get alive() {
      return alive.size;
    },
    untilStarted: (code) => until("started", code),
    untilKilled: (code) => until("killed", code),
    info: () => ({
      name: "scripted",
      languages: ["python"],
      up: true,
      reason: "",
      version: "1.0",
      isolationTier: "T2",
      probes: [],
      warnings: [],
      ...info,
    }),
    run(program, signal): GuestRun {
      const controller = new AbortController();
      const answers = new Map<number, (result: GuestToolResult) => void>();
      async function* iterate(): AsyncGenerator<GuestEvent, void, undefined> {
        const onAbort = () => controller.abort(signal.reason);
        if (signal.aborted) onAbort();
        else signal.addEventListener("abort", onAbort, { once: true });
        controller.signal.addEventListener("abort", () => {
          notify("killed", program.code, controller.signal.reason);
        });
        alive.add(controller);
        try {
          yield { type: "started" };
          started.push(program.code);
          notify("started", program.code, program);
          yield* play(scripts[program.code], program, controller.signal, answers);
        } finally {
          signal.removeEventListener("abort", onAbort);
          alive.delete(controller);
          controller.abort(new Error("the reader left"));
        }
      }
      return {
        deliver: (result) => answers.get(result.call)?.(result),
        [Symbol.asyncIterator]: iterate,
      };
    },
    async [Symbol.asyncDispose]() {
      for (const controller of alive) controller.abort(new Error("the executor was disposed"));
    },
  };
}

async function* play(
  script: Script | undefined,
  program: Program,
  signal: AbortSignal,
  answers: Map<number, (result: GuestToolResult) => void>,
): AsyncGenerator<GuestEvent, void, undefined> {
  let outputBytes = 0;
  let calls = 0;
  let room = Promise.withResolvers<void>();
  room.resolve();
  const queue = new AsyncQueue<GuestEvent>({
    sizeOf: (event) => (event.type === "output" ? event.text.length : 0),
    highWater: 64 * 1024,
    onFull: () => {
      room = Promise.withResolvers();
    },
    onDrain: () => room.resolve(),
  });
  const end = (result: ProgramResult) => {
    queue.push({ type: "ended", result, usage: { cpuMs: 1, peakMemoryBytes: 1, outputBytes } });
    queue.end();
  };
  const onAbort = () => end(stopped(signal.reason));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const guest: ScriptedGuest = {
    program,
    signal,
    print(text, channel = "stdout") {
      outputBytes += Buffer.byteLength(text);
      queue.push({ type: "output", channel, text });
      return room.promise;
    },
    call(tool, argumentsJson) {
      calls += 1;
      const call = calls;
      queue.push({ type: "tool_call", call, callKey: `/${call}`, tool, argumentsJson });
      return new Promise((resolve) => answers.set(call, resolve));
    },
  };
  Promise.resolve()
    .then(() => (script ?? unknownScript)(guest))
    .then(
      (value) => end(completed(value)),
      (error: unknown) => end(raised(error)),
    );
  try {
    yield* queue;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function unknownScript({ program }: ScriptedGuest): never {
  throw new Error(`no script ${JSON.stringify(program.code)}`);
}

function completed(value: unknown): ProgramResult {
  const json = value === undefined ? undefined : JSON.stringify(value);
  return {
    status: "completed",
    value: { json, text: String(value), type: typeof value, conversions: [], notes: [] },
  };
}

function raised(error: unknown): ProgramResult {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return {
    status: "failed",
    error: { reason: "exception", type: name, message, traceback: `${name}: ${message}`, line: 1 },
  };
}
