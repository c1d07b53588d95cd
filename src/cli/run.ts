import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { Command } from "commander";
import type { ExecutionResult } from "../sdk/result.ts";
import { onAbort } from "../shared/abort.ts";
import { addVariable, parseSeconds } from "./arguments.ts";
import { connectService, type ServiceOptions, withServiceOptions } from "./connection.ts";
import { languageOf, readSource } from "./source.ts";

/** What `codemode run` was asked for. */
export interface RunOptions extends ServiceOptions {
  readonly language?: string;
  readonly context?: Readonly<Record<string, string>>;
  /** The program's wall time, milliseconds. */
  readonly timeout?: number;
}

/** What a program is run at; a process has one. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborts when the user wants the program to end. */
  readonly signal: AbortSignal;
}

/** `codemode run`: runs one program, its output to the terminal. */
export function runCommand(): Command {
  const command = new Command("run")
    .description("run a program; exits 0 when it completes, 1 when it fails")
    .argument("[file]", "the program, - for standard input", "-")
    .option(
      "--language <name>",
      "language of the program (default: by the file's ending, else python)",
    )
    .option("--context <key=value>", "a variable of the program's context; repeatable", addVariable)
    .option("--timeout <seconds>", "wall time of the program", parseSeconds);
  return withServiceOptions(command).action(async (file: string, options: RunOptions) => {
    const { stdin, stdout, stderr } = process;
    const controller = new AbortController();
    const onInterrupt = () => controller.abort();
    process.once("SIGINT", onInterrupt);
    // A reader that leaves, such as `head`, ends the program.
    stdout.on("error", onInterrupt);
    const { signal } = controller;
    process.exitCode = await runProgram(file, options, { stdin, stdout, stderr, signal });
    process.off("SIGINT", onInterrupt);
  });
}

/** Runs a program and gives its exit code. Rejects where the service or the arguments fail. */
export async function runProgram(
  file: string,
  options: RunOptions,
  { stdin, stdout, stderr, signal }: Terminal,
): Promise<0 | 1> {
  const code = await readSource(file, stdin);
  await using service = await connectService(options);
  const { language = languageOf(file), context, timeout: wallMs } = options;
  await using execution = service.client.stream(code, { language, context, limits: { wallMs } });
  using _ = onAbort(signal, () => void execution.cancel());
  let last = "\n";
  for await (const event of execution) {
    if (event.type !== "output" || event.text === "") continue;
    if (event.channel === "stdout") last = event.text.slice(-1);
    await write(event.channel === "stdout" ? stdout : stderr, event.text, signal);
  }
  const result = await execution.outcome;
  if (result.status === "failed") {
    await write(stderr, `${describeFailure(result.error)}\n`, signal);
    return 1;
  }
  for (const note of result.notes) await write(stderr, `note: ${note}\n`, signal);
  const hasValue = result.value !== null && result.text !== "";
  if (hasValue) await write(stdout, `${last === "\n" ? "" : "\n"}${result.text}\n`, signal);
  return 0;
}

type Failure = Extract<ExecutionResult, { status: "failed" }>["error"];

function describeFailure({ reason, type, message, traceback }: Failure): string {
  if (traceback !== "") return traceback.trimEnd();
  return `${type === "" ? reason : type}: ${message}`;
}

async function write(stream: Writable, text: string, signal: AbortSignal): Promise<void> {
  if (stream.destroyed || stream.write(text)) return;
  await once(stream, "drain", { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
