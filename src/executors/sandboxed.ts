import type { Guest, GuestExit, GuestProgram, Sandbox } from "../sandbox/sandbox.ts";
import { firstBytes } from "../shared/capped-text.ts";
import { CodemodeError } from "../shared/errors.ts";
import { stringifyJson } from "../shared/json.ts";
import type { Channel, ProgramResult } from "../shared/model.ts";
import { restarting } from "../shared/restarting.ts";
import { failed, stopped } from "../shared/stop.ts";
import { runInTurns, type Steps } from "../shared/turns.ts";
import type { Executor, GuestEvent, GuestTool, Program } from "./executor.ts";

// Of a message of at most 8 KiB.
const maxHadBytes = 7 * 1024;

/** Sizes that one program's payloads may have, bytes of JSON text. */
export interface PayloadLimits {
  readonly resultBytes: number;
  readonly toolPayloadBytes: number;
}

/** An executor whose programs run in the guests of a sandbox. */
export function createSandboxedExecutor(sandbox: Sandbox, limits: PayloadLimits): Executor {
  // Sandboxes start another engine in place of one that dies, and never one that could not start.
  let wasUp = sandbox.info().up;
  return {
    info() {
      const info = sandbox.info();
      wasUp ||= info.up;
      return { ...info, isRestarting: wasUp && !info.up };
    },
    run(program, signal) {
      let guest: Guest | undefined;
      const lease = async () => {
        guest = await sandbox.lease(signal, program.group).catch(refuse);
        return guest;
      };
      return {
        [Symbol.asyncIterator]: () => run(lease, program, signal, limits),
        deliver: (answer) => guest?.answer(answer),
      };
    },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

/** A guest that cannot be had now can be had later: says when. */
function refuse(error: unknown): never {
  const isNow = CodemodeError.is(error) && error.kind === "unavailable";
  if (!isNow || error.retryAfterMs !== undefined) throw error;
  throw restarting(error.message, error);
}

async function* run(
  lease: () => Promise<Guest>,
  program: Program,
  signal: AbortSignal,
  limits: PayloadLimits,
): AsyncGenerator<GuestEvent, void, undefined> {
  const text = await runInTurns(programText(program));
  using guest = await lease();
  const kill = () => guest.kill();
  signal.addEventListener("abort", kill, { once: true });
  try {
    yield { type: "started" };
    if (signal.aborted) kill();
    else guest.start(toGuestProgram(program, text, limits));
    const output = new OutputMeter(program.limits.outputBytes);
    const { said, had } = yield* events(guest, output, signal);
    kill(); // the result is in: whatever still runs has nothing left to say
    const exit = await guest.exited;
    const stop = () => (signal.aborted ? stopped(signal.reason) : ended(exit, program));
    const result = said ?? withWhatItHad(stop(), had);
    const { cpuMs, peakMemoryBytes } = exit;
    yield { type: "ended", result, usage: { cpuMs, peakMemoryBytes, outputBytes: output.bytes } };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/** What a guest has said of its end, in time. */
interface Said {
  readonly said: ProgramResult | undefined;
  /** What the program had before its end began. */
  readonly had: ProgramResult | undefined;
}

/** The guest's output, to its result, its limit or its end. */
async function* events(
  guest: Guest,
  output: OutputMeter,
  signal: AbortSignal,
): AsyncGenerator<GuestEvent, Said, undefined> {
  let result: ProgramResult | undefined;
  let had: ProgramResult | undefined;
  for await (const frame of guest.frames) {
    if (frame.type === "result") {
      result = signal.aborted ? undefined : frame.result;
      break;
    }
    if (frame.type === "ending") {
      had = frame.result;
      continue;
    }
    if (frame.type === "tool_call") {
      // No call is accepted after the deadline.
      if (!signal.aborted) yield frame;
      continue;
    }
    const text = output.take(frame.channel, frame.chunks);
    if (text !== "") yield { type: "output", channel: frame.channel, text };
    if (output.isFull) {
      result = failed("output_limit", `the program wrote more than ${output.maxBytes} bytes`);
      break;
    }
  }
  yield* output.rest();
  return { said: result, had };
}

/** A timeout while the program was ending says what it had: its value, or its exception with the traceback. */
function withWhatItHad(result: ProgramResult, had: ProgramResult | undefined): ProgramResult {
  if (had === undefined || result.status !== "failed" || result.error.reason !== "timeout")
    return result;
  const ending = `${result.error.message}, while the program was ending`;
  if (had.status === "completed") {
    const text = firstBytes(had.value.text, maxHadBytes);
    return failed("timeout", `${ending}; its value was ${text}`);
  }
  const { type, message, traceback, line } = had.error;
  const what = firstBytes(`${type}: ${message}`, maxHadBytes);
  const said = `${ending}, after ${what}`;
  return { status: "failed", error: { reason: "timeout", type, message: said, traceback, line } };
}

function toGuestProgram(program: Program, text: string, payloads: PayloadLimits): GuestProgram {
  const { limits, seed } = program;
  const { memoryBytes, wallMs, activeMs, threads, outputBytes } = limits;
  return { text, seed, memoryBytes, wallMs, activeMs, threads, outputBytes, ...payloads };
}

/** What the guest reads: the program, and its tools, of which there may be many. */
function* programText(program: Program): Steps<string> {
  const { code, unfenced, language, context, config, limits, tools, hasMoreTools } = program;
  const texts: string[] = [];
  for (const tool of tools) {
    yield;
    texts.push(toolText(tool));
  }
  const source = { code, language, ...(unfenced && { unfenced: { ...unfenced } }) };
  const given = { context, config, hasMoreTools, maxOpenCalls: limits.openToolCalls };
  return `${stringifyJson({ ...source, ...given }).slice(0, -1)},"tools":[${texts.join(",")}]}`;
}

// Sets of tools are shared by the executions that declare them.
const toolTexts = new WeakMap<GuestTool, string>();

function toolText(tool: GuestTool): string {
  const known = toolTexts.get(tool);
  if (known !== undefined) return known;
  const { parameters = null, nullWhenAbsent, absentWhenNull, ...rest } = tool;
  const text = JSON.stringify({
    ...rest,
    parameters,
    ...(nullWhenAbsent?.length && { nullWhenAbsent }),
    ...(absentWhenNull?.length && { absentWhenNull }),
  });
  toolTexts.set(tool, text);
  return text;
}

/** What an end without a result means. */
function ended(exit: GuestExit, program: Program): ProgramResult {
  switch (exit.cause) {
    case "cpu":
      return failed("timeout", `the program used its ${program.limits.activeMs} ms of CPU time`);
    case "fault":
      return failed("crashed", `the guest broke the protocol: ${exit.detail}`);
    case "signalled":
      return failed("crashed", `the guest was killed by ${exit.detail}`);
    case "exited":
      return failed("crashed", `the guest ended without a result (${exit.detail})`);
    case "lost":
      return failed("crashed", lostMessage(exit.detail));
  }
}

function lostMessage(detail: string): string {
  if (detail === "") return "the guest was lost with the process that held it";
  return `the program was lost: ${detail}`;
}

/** Counts output and turns it into text that never splits a character. */
class OutputMeter {
  readonly maxBytes: number;
  bytes = 0;
  isFull = false;
  readonly #decoders: Readonly<Record<Channel, InstanceType<typeof TextDecoder>>> = {
    stdout: new TextDecoder("utf-8", { ignoreBOM: true }),
    stderr: new TextDecoder("utf-8", { ignoreBOM: true }),
  };

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  take(channel: Channel, chunks: readonly Uint8Array[]): string {
    let text = "";
    for (const chunk of chunks) {
      const left = this.maxBytes - this.bytes;
      this.isFull ||= chunk.length > left;
      const taken = this.isFull ? chunk.subarray(0, left) : chunk;
      this.bytes += taken.length;
      text += this.#decoders[channel].decode(taken, { stream: true });
    }
    return text;
  }

  /** What an unfinished character leaves behind. */
  *rest(): Generator<GuestEvent> {
    for (const channel of ["stdout", "stderr"] as const) {
      const text = this.#decoders[channel].decode();
      if (text !== "") yield { type: "output", channel, text };
    }
  }
}
