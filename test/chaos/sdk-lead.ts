import { setTimeout as sleep } from "node:timers/promises";
import type { Codemode, Execution, ExecutionResult } from "../../src/index.ts";
import { defineTool } from "../../src/index.ts";
import type { Leave } from "./acts.ts";
import { serviceName } from "./peer.ts";
import { callsTools, limitsOf, sourceOf } from "./programs.ts";
import { fail } from "./reading.ts";
import { stallFor } from "./stall.ts";
import { closeView, note, openView, type Result, type Story, type View } from "./story.ts";
import { type Arguments, callerTools, createHandler } from "./tools.ts";

/** The SDK, over a connection that can be cut. */
export interface SdkClient extends AsyncDisposable {
  readonly codemode: Codemode;
  cut(): void;
  stall(): Disposable;
  /** As a peer's. */
  knock(): Promise<unknown>;
}

/** Options of an SDK's run. */
export interface SdkLeadOptions {
  readonly reader: string;
  readonly leaves: readonly Leave[];
}

/** Runs a story's program by the SDK, which finds its own way back over every lost connection. */
export async function leadBySdk(
  story: Story,
  client: SdkClient,
  { reader, leaves }: SdkLeadOptions,
): Promise<void> {
  const view = openView(story, reader, { via: "sdk", afterSequence: 0, executionId: undefined });
  const options = optionsOf(story, reader);
  view.hasDeadline = options.timeoutMs !== undefined;
  if (view.hasDeadline) story.deeds.add("deadline");
  const { codemode } = client;
  const code = sourceOf(story.act.program);
  if (story.act.road === "execute") {
    const timers = leaves.map((leave) => {
      return setTimeout(
        () => disturb(story, view, client, leave),
        "ms" in leave.at ? leave.at.ms : 0,
      );
    });
    await execute(story, view, () => codemode.execute(code, options));
    for (const timer of timers) clearTimeout(timer);
    return;
  }
  let execution = codemode.stream(code, options);
  let current = view;
  for (let index = 0; ; index++) {
    const left = await follow(story, client, {
      execution,
      view: current,
      leaves: leaves.slice(index),
    });
    if (left === undefined) return;
    index += left.index;
    if (left.leave.back === "never") return;
    await sleep(left.leave.awayMs);
    const { executionId } = left;
    const afterSequence = left.leave.isFromStart ? 0 : left.afterSequence;
    const name = `${reader} back ${index + 1}`;
    current = openView(story, name, { via: "sdk attach", afterSequence, executionId });
    const isHost = left.leave.back === "answer" && callsTools(story.act.program);
    const tools = isHost ? toolsOf(story, name) : undefined;
    const { token } = story.act;
    const context = { token, tenant: story.tenant };
    const given = { afterSequence, correlationId: token, context, timeoutMs: 60_000 };
    execution = codemode.attach(executionId, { ...given, ...(tools && { tools }) });
  }
}

function optionsOf(story: Story, reader: string) {
  const { act, tenant } = story;
  const { program, token, requestId, keepMs, deadlineMs } = act;
  return {
    language: program.language,
    context: { token, tenant },
    limits: limitsOf(program),
    toolServices: [serviceName],
    keepWithoutReaderMs: keepMs,
    correlationId: token,
    tools: callsTools(program) ? toolsOf(story, reader) : [],
    ...(requestId !== "" && { requestId }),
    ...(deadlineMs !== undefined && reader === "lead" && { timeoutMs: deadlineMs }),
  };
}

/** The caller's tools, as a host of some name runs them. */
export function toolsOf(story: Story, host: string) {
  const handler = createHandler(story, host);
  return callerTools.map((name) =>
    defineTool({
      name,
      description: "",
      execute: (args: Arguments, info) => handler(name, args, info),
    }),
  );
}

interface Left {
  readonly leave: Leave;
  /** Which of the leaves it was. */
  readonly index: number;
  readonly executionId: string;
  readonly afterSequence: number;
}

interface Following {
  readonly execution: Execution<unknown>;
  readonly view: View;
  readonly leaves: readonly Leave[];
}

/** Reads to the end, or until it lets go of the execution; everything else happens on the way. */
async function follow(
  story: Story,
  client: SdkClient,
  { execution, view, leaves }: Following,
): Promise<Left | undefined> {
  const letGo = Promise.withResolvers<Left | undefined>();
  let isLeaving = false;
  const go = (index: number) => {
    const leave = leaves[index];
    if (leave === undefined || view.end !== undefined || isLeaving) return;
    if (leave.how !== "detach") return disturb(story, view, client, leave);
    isLeaving = true;
    story.deeds.add("left");
    execution.detach().then(
      ({ executionId, afterSequence }) => {
        note(story, `${view.reader}: detached after ${afterSequence}`);
        closeView(view, { how: "left" });
        letGo.resolve({ leave, index, executionId, afterSequence });
      },
      () => letGo.resolve(undefined),
    );
  };
  const timers = leaves.flatMap(({ at }, index) =>
    "ms" in at ? [setTimeout(() => go(index), at.ms)] : [],
  );
  try {
    for await (const event of execution) {
      if (view.end !== undefined) break;
      view.events.push(event);
      if (event.type === "started") view.executionId = event.executionId;
      if (story.act.slowMs > 0) await sleep(story.act.slowMs);
      for (const [index, { at }] of leaves.entries()) {
        if ("events" in at && at.events === view.events.length) go(index);
      }
    }
    const result = await execution.outcome;
    view.result = toResult(result);
    closeView(view, { how: "ended" });
  } catch (error) {
    // It could not let go of what never started, or was over.
    if (!isLeaving || (await letGo.promise) === undefined) fail(view, error);
  } finally {
    timers.forEach(clearTimeout);
  }
  return isLeaving ? await letGo.promise : undefined;
}

/** The network fails under the SDK. */
function disturb(story: Story, view: View, client: SdkClient, leave: Leave): void {
  note(story, `${view.reader}: ${leave.how} after ${view.events.length} events`);
  view.isDisturbed = true;
  if (leave.how === "stall") {
    stallFor(story, client, leave.awayMs);
    return;
  }
  story.deeds.add("left");
  client.cut();
}

async function execute(
  story: Story,
  view: View,
  run: () => Promise<ExecutionResult>,
): Promise<void> {
  try {
    const result = await run();
    const { executionId, stdout, stdoutOmittedBytes } = result;
    view.executionId = executionId;
    const { reader } = view;
    story.answers.push({
      reader,
      executionId,
      result: toResult(result),
      stdout,
      stdoutOmittedBytes,
    });
    closeView(view, { how: "left" });
  } catch (error) {
    fail(view, error);
  }
}

function toResult(result: ExecutionResult<unknown>): Result {
  if (result.status === "failed") {
    const { reason, message } = result.error;
    if (reason === "invalid_output") throw new Error("no schema was given");
    return { status: "failed", reason, message };
  }
  return { status: "completed", value: result.value as never };
}
