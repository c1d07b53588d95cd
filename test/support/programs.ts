import type {
  Executor,
  GuestEvent,
  GuestRun,
  GuestTool,
  GuestToolCall,
  Program,
} from "../../src/executors/executor.ts";
import { readSource } from "../../src/service/source.ts";
import { parseJsonObject, stringifyJson } from "../../src/shared/json.ts";
import type { JsonObject, Limits, ProgramResult } from "../../src/shared/model.ts";

/** Limits that are generous for a test and still end a program that hangs. */
export const testLimits: Limits = {
  wallMs: 20_000,
  activeMs: 10_000,
  waitMs: 10_000,
  memoryBytes: 256 * 1024 * 1024,
  outputBytes: 10 * 1024 * 1024,
  toolCalls: 100,
  openToolCalls: 10,
  threads: 8,
};

/** What a program is run with, where it is not the usual. */
export interface RunOptions {
  readonly language?: string;
  readonly context?: Program["context"];
  readonly config?: Program["config"];
  readonly limits?: Partial<Limits>;
  readonly seed?: bigint;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: GuestEvent) => void;
  readonly tools?: readonly (Partial<GuestTool> & { readonly name: string })[];
  readonly hasMoreTools?: boolean;
  readonly group?: string;
  /** Answers calls; a thrown error becomes a ToolError. */
  readonly onCall?: (call: GuestToolCall, args: JsonObject) => unknown;
}

/** A program for an executor, its text made ready as the service does. */
export function toProgram(code: string, options: RunOptions = {}): Program {
  const language = options.language ?? "python";
  return {
    ...readSource(code, language),
    language,
    context: options.context ?? {},
    config: options.config ?? {},
    limits: { ...testLimits, ...options.limits },
    seed: options.seed ?? 1n,
    hasMoreTools: options.hasMoreTools ?? false,
    group: options.group ?? "test",
    tools: (options.tools ?? []).map((tool) => ({
      callForm: "auto",
      signature: `${tool.name}(...)`,
      parameters: undefined,
      required: [],
      ...tool,
    })),
  };
}

/** All that came out of a run. */
export interface Collected {
  readonly events: readonly GuestEvent[];
  readonly stdout: string;
  readonly stderr: string;
  readonly result: ProgramResult;
  readonly usage: Extract<GuestEvent, { type: "ended" }>["usage"];
}

/** Runs a program to its end. */
export async function collect(
  executor: Executor,
  code: string,
  options: RunOptions = {},
): Promise<Collected> {
  const events: GuestEvent[] = [];
  const signal = options.signal ?? new AbortController().signal;
  const run = executor.run(toProgram(code, options), signal);
  for await (const event of run) {
    events.push(event);
    options.onEvent?.(event);
    if (event.type === "tool_call") void answer(event, run, options);
  }
  const last = events.at(-1);
  if (last?.type !== "ended") throw new Error(`the run did not end with "ended": ${last?.type}`);
  return { events, stdout: text(events, "stdout"), stderr: text(events, "stderr"), ...last };
}

async function answer(call: GuestToolCall, run: GuestRun, { onCall }: RunOptions): Promise<void> {
  try {
    const value = await onCall?.(call, parseJsonObject(call.argumentsJson));
    run.deliver({ call: call.call, resultJson: stringifyJson(value) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    run.deliver({ call: call.call, error: { kind: "exception", type: "Error", message } });
  }
}

/** The value of a program that must complete with JSON. */
export async function jsonOf(
  executor: Executor,
  code: string,
  options: RunOptions = {},
): Promise<unknown> {
  const { result } = await collect(executor, code, options);
  if (result.status === "failed") throw new Error(`${result.error.type}: ${result.error.message}`);
  if (result.value.json === undefined) throw new Error(`not JSON: ${result.value.text}`);
  return JSON.parse(result.value.json);
}

function text(events: readonly GuestEvent[], channel: string): string {
  return events
    .map((event) => (event.type === "output" && event.channel === channel ? event.text : ""))
    .join("");
}
