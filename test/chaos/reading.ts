import { setTimeout as sleep } from "node:timers/promises";
import { ConnectError } from "@connectrpc/connect";
import { CodemodeError } from "../../src/shared/errors.ts";
import { parseJson } from "../../src/shared/json.ts";
import type { ExecutionEvent, ToolAnswer, ToolCall } from "../../src/shared/model.ts";
import { fromConnectError } from "../../src/shared/status.ts";
import type { Leave } from "./acts.ts";
import { type Peer, type Reading, wasCut } from "./peer.ts";
import { stallFor } from "./stall.ts";
import { closeView, note, type Story, type View } from "./story.ts";
import { type Arguments, callerTools, type Handler } from "./tools.ts";

/** How a reader reads. */
export interface ReadOptions {
  readonly story: Story;
  readonly view: View;
  readonly peer: Peer;
  readonly slowMs: number;
  readonly leave: Leave | undefined;
  /** Answers the calls that are this reader's; undefined for one that watches. */
  readonly handler: Handler | undefined;
}

/** Reads a stream to its end, or until the reader leaves. True when it left. Never rejects. */
export async function read(reading: Reading, options: ReadOptions): Promise<boolean> {
  const { story, view, peer, slowMs, leave, handler } = options;
  const host = toolHost(reading, options);
  let hasGone = false;
  const go = () => {
    if (view.end !== undefined || leave === undefined || hasGone) return;
    hasGone = true;
    note(story, `${view.reader}: ${leave.how} after ${view.events.length} events`);
    if (leave.how === "stall") {
      stallFor(story, peer, leave.awayMs);
      return;
    }
    story.deeds.add("left");
    closeView(view, { how: "left" });
    if (leave.how === "cut") peer.cut();
    else reading.drop();
  };
  const timer = leave !== undefined && "ms" in leave.at ? setTimeout(go, leave.at.ms) : undefined;
  const most = leave !== undefined && "events" in leave.at ? leave.at.events : Infinity;
  try {
    if (handler !== undefined) host.takeOpen();
    if (most === 0) go();
    for await (const event of reading.events) {
      if (view.end !== undefined) break;
      view.events.push(event);
      if (event.type === "started") view.executionId ??= event.executionId;
      if (handler !== undefined) host.take(event);
      if (slowMs > 0) await sleep(slowMs);
      if (view.events.length >= most) go();
    }
    closeView(view, { how: "ended" });
  } catch (error) {
    view.isDisturbed ||= wasCut(peer, view.startedAt);
    fail(view, error);
  } finally {
    clearTimeout(timer);
    host.close();
    view.isDisturbed ||= peer.cutAt >= view.startedAt;
  }
  return view.end?.how === "left";
}

/** Ends a view with what its stream threw. */
export function fail(view: View, error: unknown): void {
  const { kind, message, retryAfterMs } = toError(error);
  closeView(view, { how: "failed", kind, message, retryAfterMs });
}

/** An error of a call, whoever made it. */
export function toError(error: unknown): CodemodeError {
  if (CodemodeError.is(error)) return error;
  return fromConnectError(ConnectError.from(error));
}

/** Answers calls as the SDK does: those that were open, those that come, none once another one is host. */
function toolHost(reading: Reading, { story, view, handler }: ReadOptions) {
  const over = new AbortController();
  const knownTo = reading.attached?.lastSequence ?? 0;
  // Who starts an interactive stream that a twin began before joins it, which is a change of the host.
  const { road, beside } = story.act;
  const mayJoin = road === "interactive" && beside.some(({ kind }) => kind === "twin");
  let isHost = true;

  async function run(call: ToolCall): Promise<void> {
    const executionId = view.executionId ?? "";
    const { callId, tool, argumentsJson } = call;
    const args = parseJson(argumentsJson) as Arguments;
    const info = { executionId, callId, context: undefined, signal: over.signal };
    let answer: ToolAnswer;
    try {
      const value = await handler?.(tool, args, info);
      answer = { resultJson: JSON.stringify(value) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      answer = { error: { kind: "exception", type: "Error", message } };
    }
    if (over.signal.aborted) return;
    await reading.answer(executionId, callId, answer).catch((error: unknown) => {
      note(story, `${view.reader}: answer to ${callId} refused: ${toError(error).message}`);
    });
  }

  return {
    takeOpen() {
      for (const call of reading.attached?.openCalls ?? []) void run(call);
    },
    take(event: ExecutionEvent) {
      if (event.sequence <= knownTo) return;
      if (event.type === "tool_host_changed") isHost &&= view.via === "start" && mayJoin;
      const isOwn = event.type === "tool_call" && callerTools.some((name) => name === event.tool);
      if (isHost && isOwn) void run(event);
    },
    close: () => over.abort(new Error("the reader is gone")),
  };
}
