import { setImmediate as nextTurn } from "node:timers/promises";
import { CodemodeError } from "codemode";
import {
  type Executor,
  failed,
  type GuestEvent,
  type GuestToolResult,
  type Program,
  type ProgramResult,
  stopped,
} from "codemode/server";
import { CalculatorError, interpret, type Value } from "./language.ts";

/** How long a program may keep the service's thread to itself, milliseconds. */
const sliceMs = 5;

type Answers = Map<number, PromiseWithResolvers<GuestToolResult>>;

/** An engine for the language "calculator". Its programs run in the service's own process, a slice at a time. */
export function createCalculator(): Executor {
  const closing = new AbortController();
  const isUp = () => !closing.signal.aborted;
  return {
    info: () => ({
      name: "calculator",
      languages: ["calculator"],
      up: isUp(),
      reason: isUp() ? "" : "the calculator is closed",
      version: "1.0",
      isolationTier: undefined, // it is the language that keeps programs in, and no probe says so
      probes: [],
      warnings: [],
    }),
    run(program, signal) {
      const answers: Answers = new Map();
      return {
        deliver: (answer) => answers.get(answer.call)?.resolve(answer),
        async *[Symbol.asyncIterator]() {
          if (!isUp()) throw new CodemodeError("unavailable", "the calculator is closed");
          yield* run(program, AbortSignal.any([signal, closing.signal]), answers);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
    },
  };
}

/** A program from `started` to `ended`. It goes on when the next event is asked for: a slow reader slows it. */
async function* run(
  { code, limits }: Program,
  signal: AbortSignal,
  answers: Answers,
): AsyncGenerator<GuestEvent, void, undefined> {
  signal.throwIfAborted();
  const usage = { cpuMs: 0, peakMemoryBytes: 0, outputBytes: 0 };
  const ended = (result: ProgramResult): GuestEvent => ({ type: "ended", result, usage });
  const timed = <T>(step: () => T): T => {
    const startedAt = performance.now();
    try {
      return step();
    } finally {
      usage.cpuMs += performance.now() - startedAt;
    }
  };
  yield { type: "started" };
  try {
    const program = interpret(code);
    let nextTurnAt = sliceMs;
    let step = timed(() => program.next(null));
    while (!step.done) {
      if (usage.cpuMs >= nextTurnAt) {
        nextTurnAt = usage.cpuMs + sliceMs;
        await nextTurn(); // others have theirs, and the signal its chance
      }
      if (signal.aborted) return yield ended(stopped(signal.reason));
      if (usage.cpuMs > limits.activeMs)
        return yield ended(failed("timeout", `the program used its ${limits.activeMs} ms`));
      let answer: GuestToolResult | undefined;
      if (step.value.type === "print") {
        const bytes = Buffer.from(`${step.value.text}\n`);
        const taken = bytes.subarray(0, limits.outputBytes - usage.outputBytes);
        usage.outputBytes += taken.length;
        if (taken.length > 0) yield { type: "output", channel: "stdout", text: taken.toString() };
        if (taken.length < bytes.length)
          return yield ended(failed("output_limit", `more than ${limits.outputBytes} bytes`));
      } else if (step.value.type === "call") {
        const { tool, args } = step.value;
        const call = answers.size + 1;
        const waiting = Promise.withResolvers<GuestToolResult>();
        answers.set(call, waiting);
        const argumentsJson = JSON.stringify(args);
        yield { type: "tool_call", call, callKey: `0/${call - 1}`, tool, argumentsJson };
        answer = await untilAborted(waiting.promise, signal);
        if (answer === undefined) continue;
      }
      step = timed(() => resume(program, answer));
    }
    yield ended({ status: "completed", value: describe(step.value) });
  } catch (error) {
    if (!(error instanceof CalculatorError)) throw error;
    yield ended(toFailure(error));
  }
}

function resume(program: ReturnType<typeof interpret>, answer: GuestToolResult | undefined) {
  if (answer === undefined) return program.next(null);
  if ("error" in answer)
    return program.throw(new CalculatorError("ToolError", answer.error.message));
  const value: unknown = JSON.parse(answer.resultJson);
  if (typeof value === "number" || typeof value === "boolean" || value === null)
    return program.next(value);
  return program.throw(new CalculatorError("TypeError", "the answer is not a number"));
}

/** The promise's value, or undefined when the signal aborts first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
    void promise.then(resolve);
  });
}

function describe(value: Value) {
  const json = JSON.stringify(value);
  return { json, text: String(value), type: typeof value, conversions: [], notes: [] };
}

function toFailure({ type, message, line }: CalculatorError): ProgramResult {
  const reason = type === "SyntaxError" ? "syntax" : "exception";
  const traceback = `line ${line}: ${type}: ${message}`;
  return { status: "failed", error: { reason, type, message, traceback, line } };
}
